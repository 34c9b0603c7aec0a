import { useEffect, useState } from 'react'
import { api, type RowView } from '../data/api.ts'
import { count } from '../data/format.ts'
import { go, hrefOf, usePlace } from '../data/place.ts'
import { useOperator } from '../data/session.ts'
import { useFresh } from '../data/use-fresh.ts'
import { useLoad } from '../data/use-load.ts'
import { Empty, Failure, Loading } from '../ui/bits.tsx'
import { Bulks } from '../ui/bulks.tsx'
import { Filters, filtersOf } from '../ui/filters.tsx'
import { useRows } from '../ui/rows.ts'
import { Selection } from '../ui/selection.tsx'
import { JobRow } from './jobs-row.tsx'

/** Jobs by any filter; the address has them all. */
export function JobsPage() {
  const { query } = usePlace()
  const filters = filtersOf(query)
  const key = new URLSearchParams(filters).toString()
  const [older, setOlder] = useState<{ key: string; rows: RowView[]; next: string | null } | null>(null)
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const [all, setAll] = useState(false)
  const [turn, setTurn] = useState(0)
  const operator = useOperator()
  const { value, error, loading, reload } = useLoad(key, (signal) =>
    api.rows({ ...filters, limit: '50' }, { signal }),
  )
  useFresh(older === null && picked.size === 0 && !all && !loading, reload)

  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, other jobs
  useEffect(() => {
    setOlder(null)
    setPicked(new Set())
    setAll(false)
  }, [key])

  const more = older !== null && older.key === key ? older : null
  const rows = [...(value?.items ?? []), ...(more?.rows ?? [])]
  const next = more === null ? (value?.next_cursor ?? null) : more.next
  const pick = (id: string) =>
    setPicked((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  const at = useRows(rows.length, {
    open: (n) => go(hrefOf(['jobs', rows[n]?.id ?? ''])),
    pick: (n) => pick(rows[n]?.id ?? ''),
  })
  const goOn = async () => {
    if (next === null) return
    const page = await api.rows({ ...filters, limit: '50', cursor: next })
    setOlder({ key, rows: [...(more?.rows ?? []), ...page.items], next: page.next_cursor })
  }
  const every = rows.length > 0 && rows.every(({ id }) => picked.has(id))

  return (
    <>
      <div className="head">
        <h1>Jobs</h1>
        {value !== undefined && (
          <span className="faint">
            {value.total_is_least ? 'more than ' : ''}
            {count(value.total ?? 0)}
          </span>
        )}
        {loading && value === undefined && <span className="busy" role="status" aria-label="Loading" />}
      </div>
      <Filters filters={filters} />
      <Bulks turn={turn} operator={operator} />
      {operator && (picked.size > 0 || all) && (
        <Selection
          ids={[...picked]}
          all={all ? filters : null}
          total={value?.total_is_least ? `more than ${count(value.total ?? 0)}` : count(value?.total ?? 0)}
          onAll={setAll}
          onDone={() => {
            setPicked(new Set())
            setAll(false)
            setTurn(turn + 1)
            reload()
          }}
        />
      )}
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value !== undefined && rows.length === 0 && <Nothing filtered={key !== ''} />}
      {rows.length > 0 && (
        <table className="jobs">
          <thead>
            <tr>
              {operator && (
                <th className="pick">
                  <input
                    type="checkbox"
                    aria-label="Select all that are shown"
                    checked={every}
                    onChange={() => setPicked(new Set(every ? [] : rows.map(({ id }) => id)))}
                  />
                </th>
              )}
              <th>Job</th>
              <th>State</th>
              <th className="wide">Tags</th>
              <th>Made</th>
              <th className="num wide">Took</th>
              <th className="num wide">Attempt</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, n) => (
              <JobRow
                key={row.id}
                row={row}
                n={n}
                on={n === at}
                picked={picked.has(row.id) || all}
                {...(operator ? { onPick: pick } : {})}
              />
            ))}
          </tbody>
        </table>
      )}
      {next !== null && (
        <p className="more">
          <button type="button" onClick={() => void goOn()}>
            Older ones
          </button>
        </p>
      )}
    </>
  )
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No job is like that">Take a filter away.</Empty>
  return <Empty title="No job yet">Jobs come from POST /api/jobs, or from a schedule.</Empty>
}
