import { api, type DeadLetters } from '../data/api.ts'
import { count } from '../data/format.ts'
import { go, hrefOf } from '../data/place.ts'
import { useFresh } from '../data/use-fresh.ts'
import { useLoad } from '../data/use-load.ts'
import { Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useRows } from '../ui/rows.ts'
import { type Column, Table } from '../ui/table.tsx'

type Reason = DeadLetters['items'][number]

/** What failed for good, by reason: the reasons are what can be mended. */
export function DeadLettersPage() {
  const { value, error, loading, reload } = useLoad('dead', (signal) => api.deadLetters({ signal }))
  useFresh(!loading, reload, { everyMs: 10_000 })
  const items = value?.items ?? []
  const at = useRows(items.length, {
    open: (n) => {
      const item = items[n]
      if (item !== undefined) go(hrefFor(item))
    },
  })
  return (
    <>
      <div className="head">
        <h1>Dead letters</h1>
        {value !== undefined && (
          <span className="faint">of the latest {count(value.looked_at)}, by reason</span>
        )}
      </div>
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value !== undefined && items.length === 0 && <Empty title="Nothing has failed for good" />}
      {items.length > 0 && (
        <Table rows={items} columns={columns} keyOf={({ kind, last_id }) => `${kind} ${last_id}`} at={at} />
      )}
    </>
  )
}

const columns: readonly Column<Reason>[] = [
  { head: 'Jobs', className: 'num bad', cell: (item) => count(item.count) },
  { head: 'Reason', className: 'text', cell: (item) => <Link href={hrefFor(item)}>{item.error}</Link> },
  { head: 'Kind', className: 'wide kind', cell: ({ kind }) => kind },
  {
    head: 'Last',
    cell: ({ last_id, last_at }) => (
      <Link href={hrefOf(['jobs', last_id])}>
        <Time iso={last_at} />
      </Link>
    ),
  },
]

function hrefFor({ kind, error }: Reason): string {
  return hrefOf(['jobs'], { state: 'failed', kind, q: wordsOf(error) })
}

/** A search that finds the same reason with other numbers in it. */
function wordsOf(reason: string): string {
  const words = reason.match(/[\p{L}]{3,}/gu) ?? []
  return words.slice(0, 6).join(' ')
}
