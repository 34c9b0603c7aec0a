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
  const { state, ...rest } = filters
  const filter = state === undefined ? rest : { ...rest, state: state.split(',') }
  const asked = JSON.stringify({ action: verb, filter })

  useEffect(() => {
    api.bulk({ ...JSON.parse(asked), dry_run: true }).then(
      (answer) => setMatched(answer.matched ?? answer.count ?? 0),
      (error: Error) => setWrong(error.message),
    )
  }, [asked])

  const start = async (form: FormData) => {
    const per_second = Number(form.get('rate')) || undefined
    const order = { action: verb, filter, ...(per_second === undefined ? {} : { per_second }) }
    if (!(await act('It has begun', () => api.bulk(order)))) return
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
        <input name="rate" type="number" min={1} defaultValue={100} />
      </label>
    </Dialog>
  )
}
