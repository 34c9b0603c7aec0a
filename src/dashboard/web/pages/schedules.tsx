import { api, type ScheduleView } from '../data/api.ts'
import { ApiError } from '../data/client.ts'
import { duration } from '../data/format.ts'
import { hrefOf } from '../data/place.ts'
import { useLoad } from '../data/use-load.ts'
import { Badge, Empty, Failure, Loading, Time } from '../ui/bits.tsx'
import { Link } from '../ui/link.tsx'

/** What is made again and again. */
export function SchedulesPage() {
  const { value, error, reload } = useLoad('schedules', (signal) => api.schedules({ signal }))
  const none = error instanceof ApiError && error.status === 404
  return (
    <>
      <div className="head">
        <h1>Schedules</h1>
      </div>
      {error !== null && !none && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {(none || value?.items.length === 0) && (
        <Empty title="Nothing is scheduled">Schedules are made with POST /api/schedules.</Empty>
      )}
      {value !== undefined && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Schedule</th>
              <th>Kind</th>
              <th>When</th>
              <th>Next</th>
              <th className="wide">Last</th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((schedule) => (
              <tr key={schedule.id}>
                <td>
                  {schedule.name || schedule.id} {schedule.paused && <Badge state="paused" />}
                </td>
                <td>
                  <Link href={hrefOf(['jobs'], { kind: schedule.kind })}>{schedule.kind}</Link>
                </td>
                <td>{when(schedule)}</td>
                <td>
                  <Time iso={schedule.next_at ?? null} />
                </td>
                <td className="wide">
                  <Time iso={schedule.last_at ?? null} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function when({ cron, every_ms, run_at, timezone }: ScheduleView): string {
  if (cron) return `${cron} ${timezone ?? ''}`
  if (every_ms) return `every ${duration(every_ms)}`
  return run_at ? 'once' : '–'
}
