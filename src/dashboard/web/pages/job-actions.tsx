import { useState } from 'react'
import { api, type RowDetail } from '../data/api.ts'
import { go, hrefOf } from '../data/place.ts'
import { useCaller, useOperator } from '../data/session.ts'
import { FormDialog } from '../ui/form-dialog.tsx'
import { useAct, useSay } from '../ui/notices.tsx'
import { ResubmitDialog } from './job-resubmit.tsx'

const ends = ['succeeded', 'failed', 'cancelled', 'expired']

/** What may be done to a job in its state. */
export function JobActions({ job, onDone }: { job: RowDetail; onDone: () => void }) {
  const [dialog, setDialog] = useState<'edit' | 'remove' | null>(null)
  const act = useAct()
  const say = useSay()
  const operator = useOperator()
  const over = ends.includes(job.state)
  const mayCall = useCaller()
  const close = () => setDialog(null)

  const doIt = async (done: string, work: () => Promise<unknown>) => {
    if (await act(done, work)) onDone()
  }
  const remove = async () => {
    await api.remove(job.id)
    say('It is removed')
    go(hrefOf(['jobs']))
  }
  return (
    <div className="actions">
      {mayCall && over && job.state !== 'succeeded' && (
        <button
          type="button"
          className="primary"
          onClick={() => void doIt('It runs again', () => api.retry(job.id))}
        >
          Retry
        </button>
      )}
      {operator && job.state === 'scheduled' && (
        <button type="button" onClick={() => void doIt('It runs now', () => api.promote(job.id))}>
          Run now
        </button>
      )}
      {mayCall && !over && (
        <button
          type="button"
          className="danger"
          onClick={() => void doIt('It is cancelled', () => api.cancel(job.id))}
        >
          Cancel
        </button>
      )}
      {operator && mayCall && job.input !== null && (
        <button type="button" onClick={() => setDialog('edit')}>
          Edit and resubmit
        </button>
      )}
      {operator && over && (
        <button type="button" className="danger" onClick={() => setDialog('remove')}>
          Remove
        </button>
      )}
      {dialog === 'edit' && <ResubmitDialog job={job} onClose={close} />}
      {dialog === 'remove' && (
        <FormDialog title="Remove this job?" action="Remove it" danger onSave={remove} onClose={close}>
          <p>Its input, its result and its history are gone for good.</p>
        </FormDialog>
      )}
    </div>
  )
}
