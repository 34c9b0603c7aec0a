import { api, type EngineJobView, type QueueView } from '../data/api.ts'
import { count, size } from '../data/format.ts'
import { go, hrefOf, setQuery, usePlace } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useRows } from '../ui/rows.ts'
import { type Column, Table } from '../ui/table.tsx'

const states = ['waiting', 'active', 'delayed', 'failed', 'completed'] as const
const words = {
  waiting: 'Waiting',
  active: 'Running',
  delayed: 'Delayed',
  failed: 'Failed',
  completed: 'Completed',
}

/** The jobs of a queue of the system, as the engine has them. */
export function EngineJobs({ queue }: { queue: QueueView }) {
  const { query } = usePlace()
  const state = states.find((one) => one === query.get('state')) ?? busiest(queue)
  const cursor = query.get('cursor') ?? undefined
  // Another count of it: another list.
  const key = `${queue.name} ${state} ${cursor} ${queue.counts[state]}`
  const ask = { state, ...(cursor === undefined ? {} : { cursor }) }
  const { value, error, reload } = useLoad(key, (signal) => api.engineJobs(queue.name, ask, { signal }))
  const items = value?.items ?? []
  const at = useRows(items.length, {
    open: (n) => {
      const job = items[n]
      if (job !== undefined) go(hrefOf(['q', queue.name, job.id]))
    },
  })
  return (
    <section className="card">
      <div className="tabs" role="tablist">
        {states.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === state}
            onClick={() => setQuery({ state: one, cursor: undefined })}
          >
            {words[one]} <span className="faint">{count(queue.counts[one])}</span>
          </button>
        ))}
      </div>
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value !== undefined && items.length === 0 && <Empty title={`None ${words[state].toLowerCase()}`} />}
      {items.length > 0 && (
        <Table rows={items} columns={columnsOf(queue.name)} keyOf={({ id }) => id} at={at} />
      )}
      {value?.next_cursor != null && (
        <p className="more">
          <Link href={hrefOf(['q', queue.name], { state, cursor: value.next_cursor })}>Further ones</Link>
        </p>
      )}
    </section>
  )
}

function columnsOf(queue: string): readonly Column<EngineJobView>[] {
  return [
    {
      head: 'Job',
      className: 'id',
      cell: ({ id, error }) => (
        <>
          <Link href={hrefOf(['q', queue, id])}>{id}</Link>
          {error !== null && <p className="error narrow">{error}</p>}
        </>
      ),
    },
    { head: 'Added', cell: ({ added_at: at }) => <Time iso={at} /> },
    { head: 'Ended', className: 'wide', cell: ({ ended_at: at }) => <Time iso={at} /> },
    {
      head: 'Tries',
      className: 'num wide',
      cell: ({ attempts, attempts_most: most }) => `${attempts}/${most}`,
    },
    { head: 'Size', className: 'num wide', cell: ({ data_bytes: bytes }) => size(bytes) },
    { head: 'Reason', className: 'error wide', cell: ({ error }) => error },
  ]
}

function busiest({ counts }: QueueView) {
  return states.find((state) => counts[state] > 0) ?? 'waiting'
}
