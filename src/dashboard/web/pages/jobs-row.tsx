import type { RowView } from '../data/api.ts'
import { duration } from '../data/format.ts'
import { hrefOf, setQuery } from '../data/place.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'

type JobRowProps = { row: RowView; n: number; on: boolean; picked: boolean; onPick?: (id: string) => void }

export function JobRow({ row, n, on, picked, onPick }: JobRowProps) {
  const { id, kind, state, tags, error } = row
  return (
    <tr data-row={n} className={on ? 'on' : ''} aria-selected={picked}>
      {onPick !== undefined && (
        <td className="pick">
          <input type="checkbox" aria-label={`Select ${id}`} checked={picked} onChange={() => onPick(id)} />
        </td>
      )}
      <td className="job">
        <Link href={hrefOf(['jobs', id])}>
          <b>{kind}</b> <span className="id faint">{id.slice(-12)}</span>
        </Link>
        {error !== null && state !== 'succeeded' && <p className="error">{error}</p>}
      </td>
      <td>
        <Badge state={state} />
        {state === 'running' && row.progress !== null && <progress value={row.progress} max={1} />}
      </td>
      <td className="wide tags">
        {tags.map((tag) => (
          <button key={tag} type="button" className="tag" onClick={() => setQuery({ tag })}>
            {tag}
          </button>
        ))}
      </td>
      <td>
        <Time iso={row.created_at} />
      </td>
      <td className="num wide">{duration(took(row))}</td>
      <td className="num wide">
        {row.attempt}/{row.attempts}
      </td>
    </tr>
  )
}

/** How long the last attempt took, or has taken so far. */
function took({ started_at, ended_at }: RowView): number | null {
  if (started_at === null) return null
  return (ended_at === null ? Date.now() : Date.parse(ended_at)) - Date.parse(started_at)
}
