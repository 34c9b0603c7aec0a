import { useEffect, useState } from 'react'
import { api } from '../data/api.ts'
import { count } from '../data/format.ts'
import { Dialog } from './dialog.tsx'
import type { JobFilters } from './filters.tsx'
import { useAct } from './notices.tsx'

type BulkDialogProps = {
  verb: 'retry' | 'cancel'
  filters: JobFilters
  onClose: () => void
  onDone: () => void
}

/** Counts first; then does it at a rate that others can bear. */
export function BulkDialog({ verb, filters, onClose, onDone }: BulkDialogProps) {
  const [matched, setMatched] = useState<number | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const act = useAct()
  const asked = JSON.stringify(filters)

  useEffect(() => {
    api.countBulk({ action: verb, filter: JSON.parse(asked) }).then(
      ({ count: found }) => setMatched(found),
      (error: Error) => setWrong(error.message),
    )
  }, [verb, asked])

  const start = async (form: FormData) => {
    const order = { action: verb, filter: filters, per_second: Number(form.get('rate')) || 50 }
    if (!(await act('It has begun', () => api.startBulk(order)))) return
    onClose()
    onDone()
  }
  const ready = matched !== null && matched > 0
  return (
    <Dialog
      title={verb === 'retry' ? 'Retry all that match' : 'Cancel all that match'}
      {...(ready ? { action: `${verb === 'retry' ? 'Retry' : 'Cancel'} ${count(matched)}` } : {})}
      danger={verb === 'cancel'}
      onAct={(form) => void start(form)}
      onClose={onClose}
    >
      {wrong !== null && <p className="wrong">{wrong}</p>}
      {matched === null && wrong === null && <p>Counting…</p>}
      {matched !== null && <p>{count(matched)} jobs are in a state for that.</p>}
      <label>
        Jobs a second
        <input name="rate" type="number" min={1} max={10_000} defaultValue={50} />
      </label>
    </Dialog>
  )
}
