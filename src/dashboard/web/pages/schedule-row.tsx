import { api, type ScheduleView } from '../data/api.ts'
import { duration } from '../data/format.ts'
import { go, hrefOf } from '../data/place.ts'
import { Badge, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useAct } from '../ui/notices.tsx'

type ScheduleRowProps = {
  schedule: ScheduleView
  may: boolean
  onDone: () => void
  onEdit: () => void
  onRemove: () => void
}

export function ScheduleRow({ schedule, may, onDone, onEdit, onRemove }: ScheduleRowProps) {
  const act = useAct()
  const { id, name, enabled, job, last_at, last_job_id } = schedule
  const hold = async () => {
    const words = enabled ? 'It is paused' : 'It goes on'
    if (await act(words, () => api.enableSchedule(id, !enabled))) onDone()
  }
  const run = () =>
    act('Its job is submitted', async () => {
      const { job_id } = await api.runSchedule(id)
      go(hrefOf(['jobs', job_id]))
    })
  const last = <Time iso={last_at} />
  const over = schedule.type === 'once' && schedule.next_at === null
  return (
    <tr>
      <td className="text">
        <bdi>{name || id}</bdi> {!enabled && <Badge state="paused">paused</Badge>}
        {over && <Badge state="cancelled">over</Badge>}
        <p className="faint narrow">
          {job.kind}, {when(schedule)}
        </p>
        {schedule.error !== null && <p className="error">{schedule.error}</p>}
      </td>
      <td className="wide kind">
        <Link href={hrefOf(['jobs'], { kind: job.kind })}>{job.kind}</Link>
      </td>
      <td className="text wide">{when(schedule)}</td>
      <td>
        <Time iso={enabled ? schedule.next_at : null} />
      </td>
      <td className="wide">
        {last_job_id === null ? last : <Link href={hrefOf(['jobs', last_job_id])}>{last}</Link>}
      </td>
      <td className="num wide">{schedule.fired}</td>
      {may && (
        <td className="act">
          <button type="button" className="small" onClick={() => void run()}>
            Run now
          </button>
          {!over && (
            <button type="button" className="small" onClick={() => void hold()}>
              {enabled ? 'Pause' : 'Resume'}
            </button>
          )}
          <button type="button" className="small" onClick={onEdit}>
            Edit
          </button>
          <button type="button" className="small danger" onClick={onRemove}>
            Remove
          </button>
        </td>
      )}
    </tr>
  )
}

function when({ cron, every, time_zone }: ScheduleView): string {
  if (cron !== null) return `${cron}, ${time_zone}`
  return every === null ? 'once' : `every ${duration(every * 1_000)}`
}
