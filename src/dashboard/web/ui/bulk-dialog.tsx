import { useEffect, useState } from 'react'
import { api, type BulkVerb } from '../data/api.ts'
import { count } from '../data/format.ts'
import { Dialog } from './dialog.tsx'
import type { JobFilters } from './filters.tsx'
import { useAct } from './notices.tsx'

type BulkDialogProps = {
  verb: BulkVerb
  filters: JobFilters
  onClose: () => void
  onDone: () => void
}

const verbs: Record<BulkVerb, string> = { retry: 'Retry', cancel: 'Cancel', remove: 'Remove' }

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
      title={`${verbs[verb]} all that match`}
      {...(ready ? { action: `${verbs[verb]} ${count(matched)}` } : {})}
      danger={verb !== 'retry'}
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
