import { type AuditView, api } from '../data/api.ts'
import { moment } from '../data/format.ts'
import { hrefOf, setQuery, usePlace } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'

/** Who did what to what, when, from where. */
export function AuditPage() {
  const { query } = usePlace()
  const ask = Object.fromEntries(query)
  const { value, error, reload } = useLoad(`audit ${query}`, (signal) =>
    api.audit({ ...ask, limit: '100' }, { signal }),
  )
  return (
    <>
      <div className="head">
        <h1>Audit</h1>
        <select
          aria-label="Actions"
          value={query.get('action') ?? ''}
          onChange={({ target }) => setQuery({ action: target.value, cursor: undefined })}
        >
          <option value="">Everything</option>
          <option value="queue.">Queues</option>
          <option value="job.">Jobs</option>
          <option value="jobs.">Bulk operations</option>
          <option value="bulk.">Bulk operations, held or ended</option>
          <option value="schedule.">Schedules</option>
          <option value="webhook.">Webhooks</option>
          <option value="alert.">Alerts</option>
          <option value="log">Logins</option>
          <option value="key.">Keys</option>
          <option value="board.">bull-board</option>
        </select>
      </div>
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value?.items.length === 0 && <Empty title="Nothing was done yet" />}
      {value !== undefined && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>When</th>
              <th className="wide">Who</th>
              <th>What</th>
              <th className="wide">To what</th>
              <th className="wide">From</th>
              <th>How it went</th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((deed) => (
              <Deed key={deed.id} deed={deed} />
            ))}
          </tbody>
        </table>
      )}
      {value?.next_cursor != null && (
        <p className="more">
          <Link href={hrefOf(['audit'], { ...ask, cursor: value.next_cursor })}>Older ones</Link>
        </p>
      )}
    </>
  )
}

function Deed({ deed }: { deed: AuditView }) {
  const { subject, detail, outcome } = deed
  const key = deed.key_id === null ? 'admin key' : deed.key_name || deed.key_id.slice(-12)
  return (
    <tr>
      <td>
        <span className="wide">{moment(deed.at)}</span>
        <span className="narrow">
          <Time iso={deed.at} />
        </span>
      </td>
      <td className="wide">
        {key} <span className="faint">{deed.tenant}</span>
      </td>
      <td className="text deed">
        {deed.action}
        <p className="narrow faint">
          {subject} by {key}
        </p>
      </td>
      <td className="id wide">
        <Subject of={subject} />
        {detail !== null && <p className="faint">{JSON.stringify(detail)}</p>}
      </td>
      <td className="wide faint">
        {deed.address} {deed.via}
        {deed.forwarded !== null && deed.forwarded !== deed.address && (
          <p title="As the request itself says, which anybody can make up">for {deed.forwarded}</p>
        )}
      </td>
      <td className="text">
        {outcome === 'done' ? <Badge state="succeeded">done</Badge> : <span className="bad">{outcome}</span>}
      </td>
    </tr>
  )
}

/** Where there is a page of it, the way there. */
function Subject({ of }: { of: string }) {
  const [what = '', id = ''] = of.split(':')
  const pages: Record<string, string[]> = { job: ['jobs', id], queue: ['q', id], schedule: ['schedules'] }
  const page = pages[what]
  return page === undefined ? of : <Link href={hrefOf(page)}>{of}</Link>
}
