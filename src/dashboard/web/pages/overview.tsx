import type { QueueView } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { count, duration, pace } from '../data/format.ts'
import { go, hrefOf } from '../data/place.ts'
import { Badge, drains, Loading, Stat, Warnings } from '../ui/bits.tsx'
import { Chart } from '../ui/chart.tsx'
import { Link } from '../ui/link.tsx'
import { useRows } from '../ui/rows.ts'

/** All queues at a glance. */
export function OverviewPage() {
  const { board } = useBoard()
  const queues = board?.queues ?? []
  const at = useRows(queues.length, {
    open: (n) => {
      const queue = queues[n]
      if (queue !== undefined) go(hrefOf(['q', queue.name]))
    },
  })
  if (board === null) return <Loading />
  const sum = (of: (queue: QueueView) => number) => queues.reduce((total, queue) => total + of(queue), 0)
  const failed = sum(({ flow }) => flow?.failed ?? 0)
  return (
    <>
      <div className="head">
        <h1>Queues</h1>
      </div>
      <dl className="stats">
        <Stat label="Waiting">{count(sum(({ counts }) => counts.waiting))}</Stat>
        <Stat label="Running">{count(sum(({ counts }) => counts.active))}</Stat>
        <Stat label="Ended a minute">{pace(sum(({ flow }) => flow?.per_minute ?? 0))}</Stat>
        <Stat label="Failed in 15 min">
          <span className={failed > 0 ? 'bad' : ''}>{count(failed)}</span>
        </Stat>
        <Stat label="Workers">{count(sum(({ workers }) => workers.length))}</Stat>
      </dl>
      <div className="queues">
        <div className="row heading" aria-hidden="true">
          {headings.map((word) => (
            <span key={word}>{word}</span>
          ))}
        </div>
        <ul>
          {queues.map((queue, n) => (
            <Row key={queue.name} queue={queue} n={n} on={n === at} />
          ))}
        </ul>
      </div>
    </>
  )
}

const headings = [
  'Queue',
  'Waiting',
  'Running',
  'Delayed',
  'Failed',
  'A minute',
  'Wait p95',
  'Run p95',
  'Drains in',
  'Workers',
]

function Row({ queue, n, on }: { queue: QueueView; n: number; on: boolean }) {
  const { name, counts, flow, workers } = queue
  const busy = workers.reduce((total, { running }) => total + running, 0)
  const room = workers.reduce((total, { concurrency }) => total + concurrency, 0)
  return (
    <li data-row={n}>
      <Link className={on ? 'row on' : 'row'} href={hrefOf(['q', name])}>
        <span className="name">
          {name}
          {queue.paused && <Badge state="paused" />}
          {!queue.up && <Badge state="failed">engine down</Badge>}
        </span>
        <Cell label="Waiting" value={counts.waiting} />
        <Cell label="Running" value={counts.active} />
        <Cell label="Delayed" value={counts.delayed} />
        <Cell label="Failed" value={counts.failed} />
        <span className="flow">
          <small>A minute</small>
          <span className="num">{pace(flow?.per_minute ?? 0)}</span>
          <Chart series={queue.series} small />
        </span>
        <Words label="Wait p95">{duration(flow?.wait.p95)}</Words>
        <Words label="Run p95">{duration(flow?.run.p95)}</Words>
        <Words label="Drains in">{drains(queue)}</Words>
        <Words label="Workers">
          {workers.length === 0 ? 'none' : `${workers.length}, ${busy}/${room} busy`}
        </Words>
      </Link>
      <Warnings of={queue} />
    </li>
  )
}

function Cell({ label, value }: { label: string; value: number }) {
  return (
    <span className={value === 0 ? 'num faint' : `num ${label.toLowerCase()}`}>
      <small>{label}</small>
      {count(value)}
    </span>
  )
}

function Words({ label, children }: { label: string; children: string }) {
  return (
    <span className={/^(–|none)$/.test(children) ? 'num words faint' : 'num words'}>
      <small>{label}</small>
      {children}
    </span>
  )
}
