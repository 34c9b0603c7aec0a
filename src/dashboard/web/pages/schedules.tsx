import { api, type ScheduleView } from '../data/api.ts'
import { duration } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useOperator } from '../data/session.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'
import { useAct } from '../ui/notices.tsx'

/** What is submitted again and again, or once at a time to come. */
export function SchedulesPage() {
  const { value, error, reload } = useLoad('schedules', (signal) => api.schedules({ signal }))
  return (
    <>
      <div className="head">
        <h1>Schedules</h1>
      </div>
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value?.items.length === 0 && (
        <Empty title="Nothing is scheduled">Schedules are made with POST /api/schedules.</Empty>
      )}
      {value !== undefined && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Schedule</th>
              <th className="wide">Kind</th>
              <th className="wide">When</th>
              <th>Next</th>
              <th className="wide">Last</th>
              <th className="num wide">Made</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {value.items.map((schedule) => (
              <Row key={schedule.id} schedule={schedule} onDone={reload} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function Row({ schedule, onDone }: { schedule: ScheduleView; onDone: () => void }) {
  const act = useAct()
  const operator = useOperator()
  const { id, name, enabled, job, last_at, last_job_id } = schedule
  const doIt = async (done: string, work: () => Promise<unknown>) => {
    if (await act(done, work)) onDone()
  }
  const last = <Time iso={last_at} />
  return (
    <tr>
      <td className="text">
        <bdi>{name || id}</bdi> {!enabled && <Badge state="paused">off</Badge>}
        <p className="faint narrow">{when(schedule)}</p>
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
      <td className="act">
        {operator && (
          <>
            <button
              type="button"
              className="small"
              onClick={() => void doIt('It is submitted', () => api.runSchedule(id))}
            >
              Run now
            </button>
            <button
              type="button"
              className="small"
              onClick={() => void doIt('It is changed', () => api.enableSchedule(id, !enabled))}
            >
              {enabled ? 'Off' : 'On'}
            </button>
          </>
        )}
      </td>
    </tr>
  )
}

function when({ cron, every, time_zone }: ScheduleView): string {
  if (cron !== null) return `${cron}, ${time_zone}`
  return every === null ? 'once' : `every ${duration(every * 1_000)}`
}
