import { api } from '../data/api.ts'
import { count } from '../data/format.ts'
import { go, hrefOf } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useRows } from '../ui/rows.ts'

/** What failed for good, by reason: the reasons are what can be mended. */
export function DeadLettersPage() {
  const { value, error, reload } = useLoad('dead', (signal) => api.deadLetters({ signal }))
  const items = value?.items ?? []
  const hrefFor = ({ kind, error: reason }: { kind: string; error: string }) =>
    hrefOf(['jobs'], { state: 'failed', kind, q: wordsOf(reason) })
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
        <table>
          <thead>
            <tr>
              <th className="num">Jobs</th>
              <th>Reason</th>
              <th className="wide">Kind</th>
              <th>Last</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item, n) => (
              <tr key={`${item.kind} ${item.last_id}`} data-row={n} className={n === at ? 'on' : ''}>
                <td className="num bad">{count(item.count)}</td>
                <td className="text">
                  <Link href={hrefFor(item)}>{item.error}</Link>
                </td>
                <td className="wide">{item.kind}</td>
                <td>
                  <Link href={hrefOf(['jobs', item.last_id])}>
                    <Time iso={item.last_at} />
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

/** A search that finds the same reason with other numbers in it. */
function wordsOf(reason: string): string {
  const words = reason.match(/[\p{L}]{3,}/gu) ?? []
  return words.slice(0, 6).join(' ')
}
