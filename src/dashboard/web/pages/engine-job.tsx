import { api } from '../data/api.ts'
import { duration, size } from '../data/format.ts'
import { go, hrefOf } from '../data/place.ts'
import { useHouseOperator } from '../data/session.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Failure, Loading, Stat, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useAct } from '../ui/notices.tsx'

const fits = {
  retry: ['failed'],
  promote: ['delayed'],
  remove: ['waiting', 'delayed', 'completed', 'failed'],
}
const words = { retry: 'Retry', promote: 'Run now', remove: 'Remove' }

/** One job of a queue of the system. */
export function EngineJobPage({ queue, id }: { queue: string; id: string }) {
  const {
    value: job,
    error,
    reload,
  } = useLoad(`${queue} ${id}`, (signal) => api.engineJob(queue, id, { signal }))
  const act = useAct()
  const operator = useHouseOperator()
  if (error !== null) return <Failure error={error} retry={reload} />
  if (job === undefined) return <Loading />

  const doIt = async (what: 'retry' | 'promote' | 'remove') => {
    if (!(await act(`${words[what]}: done`, () => api.actOnEngineJob(queue, id, what)))) return
    if (what === 'remove') go(hrefOf(['q', queue]))
    else reload()
  }
  const ran = job.started_at !== null && job.ended_at !== null
  return (
    <>
      <p className="crumbs">
        <Link href={hrefOf(['q', queue])}>{queue}</Link>
      </p>
      <div className="head">
        <h1 className="id">{job.id}</h1>
        <Badge state={job.state} />
        {operator && (
          <div className="actions">
            {(['retry', 'promote', 'remove'] as const)
              .filter((what) => fits[what].includes(job.state))
              .map((what) => (
                <button
                  key={what}
                  type="button"
                  className={what === 'remove' ? 'danger' : ''}
                  onClick={() => void doIt(what)}
                >
                  {words[what]}
                </button>
              ))}
          </div>
        )}
      </div>
      {job.error !== null && <p className="reason">{job.error}</p>}
      <dl className="stats">
        <Stat label="Added">
          <Time iso={job.added_at} />
        </Stat>
        <Stat label="Begun">
          <Time iso={job.started_at} />
        </Stat>
        <Stat label="Ran">
          {ran ? duration(Date.parse(job.ended_at ?? '') - Date.parse(job.started_at ?? '')) : '–'}
        </Stat>
        <Stat label="Tries">
          {job.attempts}/{job.attempts_most}
        </Stat>
        <Stat label="Carries">{size(job.data_bytes)}</Stat>
      </dl>
      <Text title="Data" text={job.data} none="Not for people: this queue carries recorded exchanges." />
      {job.result !== null && <Text title="Result" text={job.result} none="" />}
      {job.stack.length > 0 && <Text title="Stack" text={job.stack.join('\n\n')} none="" />}
      {job.logs.length > 0 && <Text title="Log" text={job.logs.join('\n')} none="" />}
    </>
  )
}

function Text({ title, text, none }: { title: string; text: string | null; none: string }) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {text === null ? <p className="faint pad">{none}</p> : <pre>{text}</pre>}
    </section>
  )
}
