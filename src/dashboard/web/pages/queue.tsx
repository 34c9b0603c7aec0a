import { useState } from 'react'
import { api, type QueueView } from '../data/api.ts'
import { useBoard, useQueue } from '../data/board.tsx'
import { ago, count, duration, pace } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useHouseOperator } from '../data/session.ts'
import { Badge, drains, Empty, Loading, Stat, Warnings } from '../ui/bits.tsx'
import { Chart } from '../ui/chart.tsx'
import { Link } from '../ui/link.tsx'
import { useAct } from '../ui/notices.tsx'
import { DrainDialog, LimitsDialog } from '../ui/queue-dialogs.tsx'
import { EngineJobs } from './queue-jobs.tsx'
import { Kinds, Workers } from './queue-parts.tsx'

/** One queue: how it goes, who works on it, and its jobs. */
export function QueuePage({ name }: { name: string }) {
  const { board } = useBoard()
  const queue = useQueue(name)
  if (board === null) return <Loading />
  if (queue === undefined) return <Empty title={`There is no queue ${name}`} />
  return (
    <>
      <div className="head">
        <h1>{name}</h1>
        {queue.paused && <Badge state="paused" />}
        {!queue.up && <Badge state="failed">engine down</Badge>}
        <Limits queue={queue} />
        <Actions queue={queue} />
      </div>
      <Warnings of={queue} />
      <Figures queue={queue} />
      <section className="card">
        <h2>
          Ended, last hour <span className="faint">by minute, failures on top</span>
        </h2>
        <Chart series={queue.series} />
      </section>
      {queue.kinds.length > 0 && <Kinds queue={queue} />}
      <Workers queue={queue} />
      {queue.rows ? (
        <p className="more">
          <Link href={hrefOf(['jobs'])}>All jobs of this queue</Link>
        </p>
      ) : (
        <EngineJobs queue={queue} />
      )}
    </>
  )
}

function Figures({ queue }: { queue: QueueView }) {
  const { counts, flow } = queue
  const oldest = queue.oldest_waiting_at
  const note = oldest === null ? undefined : { note: `oldest ${ago(oldest)}` }
  const waits = flow?.wait
  const runs = flow?.run
  return (
    <dl className="stats">
      <Stat label="Waiting" {...note}>
        {count(counts.waiting)}
      </Stat>
      <Stat label="Running">{count(counts.active)}</Stat>
      <Stat label="Delayed">{count(counts.delayed)}</Stat>
      <Stat label="Failed">
        <span className={counts.failed > 0 ? 'bad' : ''}>{count(counts.failed)}</span>
      </Stat>
      <Stat
        label="Ended a minute"
        note={
          <>
            <span>{count(flow?.failed ?? 0)} failed</span>
            <span>{count(flow?.retried ?? 0)} tried again</span>
          </>
        }
      >
        {pace(flow?.per_minute ?? 0)}
      </Stat>
      <Stat label="Wait, median" note={<Tail of={waits} />}>
        {duration(waits?.p50)}
      </Stat>
      <Stat label="Run, median" note={<Tail of={runs} />}>
        {duration(runs?.p50)}
      </Stat>
      <Stat label="Drains in" note="at the pace of 5 minutes">
        {drains(queue)}
      </Stat>
    </dl>
  )
}

function Tail({ of }: { of: { p95: number | null; p99: number | null } | undefined }) {
  return (
    <>
      <span>p95 {duration(of?.p95)}</span>
      <span>p99 {duration(of?.p99)}</span>
    </>
  )
}

function Limits({ queue: { concurrency, rate } }: { queue: QueueView }) {
  const words = [
    concurrency === null ? null : `${concurrency} at once`,
    rate === null ? null : `${count(rate.max)} per ${duration(rate.per_ms)}`,
  ].filter((word) => word !== null)
  return words.length === 0 ? null : <Badge state="limited">{words.join(', ')}</Badge>
}

function Actions({ queue }: { queue: QueueView }) {
  const [dialog, setDialog] = useState<'drain' | 'limits' | null>(null)
  const act = useAct()
  if (!useHouseOperator()) return null
  const { name, paused } = queue
  const hold = () => void act(paused ? `${name} goes on` : `${name} is paused`, () => api.hold(name, !paused))
  const close = () => setDialog(null)
  return (
    <div className="actions">
      <button type="button" onClick={hold}>
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" onClick={() => setDialog('limits')}>
        Limits
      </button>
      {!queue.rows && (
        <button type="button" className="danger" onClick={() => setDialog('drain')}>
          Drain
        </button>
      )}
      {dialog === 'drain' && <DrainDialog queue={queue} onClose={close} />}
      {dialog === 'limits' && (
        <LimitsDialog of={{ name, concurrency: queue.concurrency, rate: queue.rate }} onClose={close} />
      )}
    </div>
  )
}
