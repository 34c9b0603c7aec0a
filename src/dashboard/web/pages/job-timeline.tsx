import type { RowDetail } from '../data/api.ts'
import { duration } from '../data/format.ts'
import { Badge } from '../ui/bits.tsx'

type Attempt = RowDetail['attempt_list'][number]

/** The attempts on one line of time: how long each waited, and ran. */
export function Timeline({ job }: { job: RowDetail }) {
  const attempts = job.attempt_list
  if (attempts.length === 0) return null
  const from = Math.min(...attempts.map(({ started_at, wait_ms }) => Date.parse(started_at) - wait_ms))
  const to = Math.max(...attempts.map((attempt) => endOf(attempt)), from + 1)
  const place = (ms: number) => `${(100 * (ms - from)) / (to - from)}%`
  const wide = (ms: number) => `${(100 * ms) / (to - from)}%`
  return (
    <section className="card">
      <h2>
        Attempts <span className="faint">over {duration(to - from)}</span>
      </h2>
      <ol className="timeline">
        {attempts.map((attempt) => {
          const begun = Date.parse(attempt.started_at)
          const outcome = attempt.outcome ?? 'running'
          return (
            <li key={attempt.attempt}>
              <span className="num">{attempt.attempt}</span>
              <Badge state={outcome} />
              <span className="track">
                <i
                  className="wait"
                  style={{ left: place(begun - attempt.wait_ms), width: wide(attempt.wait_ms) }}
                />
                <i
                  className={`run s-${outcome}`}
                  style={{ left: place(begun), width: wide(endOf(attempt) - begun) }}
                />
              </span>
              <span className="told">
                waited {duration(attempt.wait_ms)}, ran {duration(endOf(attempt) - begun)}
                <span className="faint"> on {attempt.worker}</span>
                {attempt.error !== null && <p className="error">{attempt.error}</p>}
              </span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function endOf({ ended_at }: Attempt): number {
  return ended_at === null ? Date.now() : Date.parse(ended_at)
}
