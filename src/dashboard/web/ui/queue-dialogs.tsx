import { api, type QueueView } from '../data/api.ts'
import { count } from '../data/format.ts'
import { Field } from './field.tsx'
import { FormDialog } from './form-dialog.tsx'
import { useSay } from './notices.tsx'

export function DrainDialog({ queue, onClose }: { queue: QueueView; onClose: () => void }) {
  const say = useSay()
  const { name, counts } = queue
  const drain = async (form: FormData) => {
    const delayed = form.get('delayed') === 'on'
    const { removed } = await api.drain(name, delayed)
    say(`${name} is drained: ${count(removed)} removed`)
    onClose()
  }
  return (
    <FormDialog title={`Drain ${name}?`} action="Remove them" danger onSave={drain} onClose={onClose}>
      <p>{count(counts.waiting)} that wait are removed for good. What runs goes on.</p>
      <label className="check">
        <input type="checkbox" name="delayed" /> Also the {count(counts.delayed)} delayed
      </label>
    </FormDialog>
  )
}

export type Limited = {
  name: string
  kind?: string
  concurrency: number | null
  rate: { max: number; per_ms: number } | null
}

/** An empty field is no limit. */
export function LimitsDialog({ of, onClose }: { of: Limited; onClose: () => void }) {
  const say = useSay()
  const { name, kind, concurrency, rate } = of
  const limit = async (form: FormData) => {
    const [most, max, seconds] = ['concurrency', 'rate/max', 'rate/per_ms'].map(
      (field) => Number(form.get(field)) || null,
    )
    const limits = {
      ...(kind === undefined ? {} : { kind }),
      concurrency: most ?? null,
      rate: max ? { max, per_ms: (seconds ?? 1) * 1_000 } : null,
    }
    await api.limit(name, limits)
    say(`Limits of ${kind ?? name} are set`)
    onClose()
  }
  return (
    <FormDialog title={`Limits of ${kind ?? name}`} action="Set" onSave={limit} onClose={onClose}>
      <Field label="At once, over all workers" name="concurrency">
        {(control) => (
          <input {...control} type="number" min={1} defaultValue={concurrency ?? ''} placeholder="no limit" />
        )}
      </Field>
      <div className="pair">
        <Field label="Begun at most" name="rate/max">
          {(control) => (
            <input {...control} type="number" min={1} defaultValue={rate?.max ?? ''} placeholder="no limit" />
          )}
        </Field>
        <Field label="in so many seconds" name="rate/per_ms">
          {(control) => (
            <input
              {...control}
              type="number"
              min={1}
              max={86_400}
              defaultValue={rate ? rate.per_ms / 1_000 : 60}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  )
}
