import { useEffect, useState } from 'react'
import { api, type BulkVerb } from '../data/api.ts'
import { count } from '../data/format.ts'
import { Field } from './field.tsx'
import type { JobFilters } from './filters.tsx'
import { FormDialog } from './form-dialog.tsx'
import { useSay } from './notices.tsx'

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
  const say = useSay()
  const asked = JSON.stringify(filters)

  useEffect(() => {
    api.countBulk({ action: verb, filter: JSON.parse(asked) }).then(
      ({ count: found }) => setMatched(found),
      (error: Error) => setWrong(error.message),
    )
  }, [verb, asked])

  const start = async (form: FormData) => {
    const order = { action: verb, filter: filters, per_second: Number(form.get('per_second')) || 50 }
    await api.startBulk(order)
    say(`${verbs[verb]} ${count(matched ?? 0)}: it has begun`)
    onClose()
    onDone()
  }
  const ready = matched !== null && matched > 0
  return (
    <FormDialog
      title={`${verbs[verb]} all that match`}
      action={ready ? `${verbs[verb]} ${count(matched)}` : undefined}
      danger={verb !== 'retry'}
      onSave={start}
      onClose={onClose}
    >
      {wrong !== null && <p className="wrong">{wrong}</p>}
      {matched === null && wrong === null && <p>Counting…</p>}
      {matched !== null && <p>{count(matched)} jobs are in a state for that.</p>}
      <Field label="Jobs a second" name="per_second">
        {(control) => <input {...control} type="number" min={1} max={10_000} defaultValue={50} />}
      </Field>
    </FormDialog>
  )
}
