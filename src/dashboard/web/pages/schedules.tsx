import { useState } from 'react'
import { api, type ScheduleView } from '../data/api.ts'
import { hrefOf, usePlace } from '../data/place.ts'
import { useCaller, useOperator } from '../data/session.ts'
import { useFresh } from '../data/use-fresh.ts'
import { useLoad } from '../data/use-load.ts'
import { Empty, Failure, Loading } from '../ui/bits.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { Link } from '../ui/link.tsx'
import { useSay } from '../ui/notices.tsx'
import { ScheduleDialog } from './schedule-dialog.tsx'
import { ScheduleRow } from './schedule-row.tsx'

type Open = { what: 'form'; id: string | null } | { what: 'remove'; schedule: ScheduleView }

/** What is submitted again and again, or once at a time to come. */
export function SchedulesPage() {
  const cursor = usePlace().query.get('cursor') ?? undefined
  const { value, error, loading, reload } = useLoad(`schedules ${cursor}`, (signal) =>
    api.schedules({ cursor }, { signal }),
  )
  const [open, setOpen] = useState<Open | null>(null)
  const operator = useOperator()
  const caller = useCaller()
  const may = operator && caller
  useFresh(!loading && open === null, reload, { everyMs: 5_000 })
  const done = () => {
    setOpen(null)
    reload()
  }
  return (
    <>
      <div className="head">
        <h1>Schedules</h1>
        {may && (
          <div className="actions">
            <button type="button" className="primary" onClick={() => setOpen({ what: 'form', id: null })}>
              New schedule
            </button>
          </div>
        )}
      </div>
      {operator && !caller && (
        <p className="faint note">To change schedules this key lacks the scope call.</p>
      )}
      {error !== null && <Failure error={error} retry={reload} />}
      {value === undefined && error === null && <Loading />}
      {value?.items.length === 0 && (
        <Empty title="Nothing is scheduled">
          A schedule submits a job by cron, at an interval, or once at a time to come.
        </Empty>
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
              <th className="num wide">Jobs</th>
              {may && <th />}
            </tr>
          </thead>
          <tbody>
            {value.items.map((schedule) => (
              <ScheduleRow
                key={schedule.id}
                schedule={schedule}
                may={may}
                onDone={reload}
                onEdit={() => setOpen({ what: 'form', id: schedule.id })}
                onRemove={() => setOpen({ what: 'remove', schedule })}
              />
            ))}
          </tbody>
        </table>
      )}
      {value?.next_cursor != null && (
        <p className="more">
          <Link href={hrefOf(['schedules'], { cursor: value.next_cursor })}>Older ones</Link>
        </p>
      )}
      {open?.what === 'form' && <ScheduleDialog id={open.id} onClose={() => setOpen(null)} onDone={done} />}
      {open?.what === 'remove' && (
        <RemoveDialog schedule={open.schedule} onClose={() => setOpen(null)} onDone={done} />
      )}
    </>
  )
}

type RemoveDialogProps = { schedule: ScheduleView; onClose: () => void; onDone: () => void }

function RemoveDialog({ schedule, onClose, onDone }: RemoveDialogProps) {
  const say = useSay()
  const remove = async () => {
    await api.removeSchedule(schedule.id)
    say('The schedule is removed')
    onDone()
  }
  return (
    <FormDialog
      title={`Remove ${schedule.name}?`}
      action="Remove it"
      danger
      onSave={remove}
      onClose={onClose}
    >
      <p>It submits nothing any more. The jobs that it has made stay.</p>
    </FormDialog>
  )
}
