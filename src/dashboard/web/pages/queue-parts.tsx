import { useState } from 'react'
import { api, type KindView, type QueueView, type WorkerView } from '../data/api.ts'
import { count, duration, pace } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useHouseOperator } from '../data/session.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useAct } from '../ui/notices.tsx'
import { LimitsDialog } from '../ui/queue-dialogs.tsx'
import { type Column, Table } from '../ui/table.tsx'

export function Workers({ queue: { workers, name } }: { queue: QueueView }) {
  return (
    <section className="card">
      <h2>
        Workers <span className="faint">{workers.length}</span>
      </h2>
      {workers.length === 0 ? (
        <p className="faint pad">
          None is there. Start one with <code>bun run worker {name}</code>.
        </p>
      ) : (
        <Table rows={workers} columns={workerColumns} keyOf={({ id }) => id} />
      )}
    </section>
  )
}

const workerColumns: readonly Column<WorkerView>[] = [
  {
    head: 'Process',
    cell: ({ process, idle_beside_backlog: idle }) => (
      <>
        {process} {idle && <Badge state="failed">idle beside a backlog</Badge>}
      </>
    ),
  },
  {
    head: 'Host',
    className: 'text',
    cell: ({ host, pid }) => (
      <>
        {host} <span className="faint">{pid}</span>
      </>
    ),
  },
  { head: 'Busy', className: 'num', cell: ({ running, concurrency }) => `${running}/${concurrency}` },
  { head: 'Begun', className: 'num wide', cell: ({ begun }) => count(begun) },
  { head: 'Since', className: 'wide', cell: ({ started_at: at }) => <Time iso={at} /> },
  { head: 'Seen', className: 'wide', cell: ({ seen_at: at }) => <Time iso={at} /> },
]

export function Kinds({ queue }: { queue: QueueView }) {
  return (
    <section className="card">
      <h2>
        Kinds <span className="faint">of the last 15 minutes, and what is open</span>
      </h2>
      <table>
        <thead>
          <tr>
            <th>Kind</th>
            <th className="num">Waiting</th>
            <th className="num">Running</th>
            <th className="num">Failed</th>
            <th className="num wide">A minute</th>
            <th className="num wide">Wait p95</th>
            <th className="num wide">Run p95</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {queue.kinds.map((kind) => (
            <Kind key={kind.kind} queue={queue.name} of={kind} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Kind({ queue, of }: { queue: string; of: KindView }) {
  const [open, setOpen] = useState(false)
  const act = useAct()
  const operator = useHouseOperator()
  const { kind, counts, flow, paused, concurrency, per_minute_most: most } = of
  const rate = most === null ? null : { max: most, per_ms: 60_000 }
  const hold = () =>
    void act(paused ? `${kind} goes on` : `${kind} is paused`, () => api.hold(queue, !paused, kind))
  const link = (state: string, n: number) =>
    n === 0 ? (
      <span className="faint">0</span>
    ) : (
      <Link href={hrefOf(['jobs'], { kind, state })}>{count(n)}</Link>
    )
  return (
    <tr>
      <td>
        <Link href={hrefOf(['jobs'], { kind })}>{kind}</Link> {paused && <Badge state="paused" />}
        {concurrency !== null && <Badge state="limited">{concurrency} at once</Badge>}
        {most !== null && <Badge state="limited">{most} a minute</Badge>}
      </td>
      <td className="num">{link('queued', counts.waiting)}</td>
      <td className="num">{link('running', counts.active)}</td>
      <td className="num">{link('failed', counts.failed)}</td>
      <td className="num wide">{pace(flow?.per_minute ?? 0)}</td>
      <td className="num wide">{duration(flow?.wait.p95)}</td>
      <td className="num wide">{duration(flow?.run.p95)}</td>
      <td className="act">
        {operator && (
          <>
            <button type="button" className="small" onClick={hold}>
              {paused ? 'Resume' : 'Pause'}
            </button>
            <button type="button" className="small" onClick={() => setOpen(true)}>
              Limits
            </button>
          </>
        )}
        {open && (
          <LimitsDialog of={{ name: queue, kind, concurrency, rate }} onClose={() => setOpen(false)} />
        )}
      </td>
    </tr>
  )
}
