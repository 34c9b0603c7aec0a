import { api, type RowDetail } from '../data/api.ts'
import { count } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'

/** What happened, and what the job said while it ran. */
export function Log({ job: { events, events_left_out: left } }: { job: RowDetail }) {
  if (events.length === 0) return null
  return (
    <section className="card">
      <h2>
        Events and log{' '}
        {left > 0 && <span className="faint">the latest; {count(left)} older ones are left out</span>}
      </h2>
      <ol className="log">
        {events.map(({ n, at, kind, data }) => (
          <li key={n} className={kind}>
            <time dateTime={at}>{at.slice(11, 23)}</time>
            <span>{told(kind, data)}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function told(kind: string, data: unknown): string {
  const fields = (typeof data === 'object' && data !== null ? data : { value: data }) as Record<
    string,
    unknown
  >
  if (kind === 'log') return String(fields.line ?? fields.text ?? fields.message ?? JSON.stringify(data))
  const { state, progress, part, note, ...rest } = fields
  const share = progress ?? part
  const words = [
    state === undefined ? null : `→ ${String(state)}`,
    typeof share === 'number' ? `${Math.round(share * 100)}%` : null,
    note == null ? null : String(note),
    ...Object.entries(rest).flatMap(([name, value]) => (value == null ? [] : [`${name} ${shortly(value)}`])),
  ]
  return words.filter((word) => word !== null).join('  ')
}

function shortly(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)
}

/** Other jobs that this one has to do with. */
export function Flow({ job }: { job: RowDetail }) {
  const { needs, needed_by, children, parent_id, retry_of, schedule_id } = job
  const groups = [
    ['Needs', needs],
    ['Needed by', needed_by],
    ['Made', children],
  ] as const
  const none = needs.length + needed_by.length + children.length === 0
  if (none && parent_id === null && retry_of === null && schedule_id === null) return null
  return (
    <section className="card">
      <h2>Flow</h2>
      <div className="flowed">
        {parent_id !== null && <Ref label="Made by" id={parent_id} />}
        {retry_of !== null && <Ref label="Edited from" id={retry_of} />}
        {schedule_id !== null && (
          <p>
            <span className="faint">By the schedule</span>{' '}
            <Link href={hrefOf(['schedules'])}>{schedule_id}</Link>
          </p>
        )}
        {groups.map(([label, list]) =>
          list.length === 0 ? null : (
            <div key={label}>
              <span className="faint">{label}</span>
              <ul>
                {list.map(({ id, kind, state }) => (
                  <li key={id}>
                    <Badge state={state} />{' '}
                    <Link href={hrefOf(['jobs', id])}>
                      {kind} <span className="id faint">{id.slice(-12)}</span>
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          ),
        )}
      </div>
    </section>
  )
}

function Ref({ label, id }: { label: string; id: string }) {
  return (
    <p>
      <span className="faint">{label}</span>{' '}
      <Link className="id" href={hrefOf(['jobs', id])}>
        {id}
      </Link>
    </p>
  )
}

/** The calls that the job made, as the record has them. */
export function Exchanges({ id }: { id: string }) {
  const { value } = useLoad(`exchanges ${id}`, (signal) => api.exchangesOf(id, { signal }))
  if (value === undefined || value.items.length === 0) return null
  return (
    <section className="card">
      <h2>Exchanges</h2>
      <table>
        <tbody>
          {value.items.map((exchange) => (
            <tr key={exchange.id}>
              <td>
                <a href={`/api/exchanges/${exchange.id}`}>
                  {exchange.method} {exchange.path}
                </a>
              </td>
              <td>{exchange.model}</td>
              <td className="num">{exchange.status}</td>
              <td>
                <Time iso={exchange.started_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
