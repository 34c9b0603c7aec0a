import { api, type QueueView } from '../data/api.ts'
import { count } from '../data/format.ts'
import { Dialog } from './dialog.tsx'
import { useAct } from './notices.tsx'

export function DrainDialog({ queue, onClose }: { queue: QueueView; onClose: () => void }) {
  const act = useAct()
  const { name, counts } = queue
  const drain = async (form: FormData) => {
    const delayed = form.get('delayed') === 'on'
    if (await act(`${name} is drained`, () => api.drain(name, delayed))) onClose()
  }
  return (
    <Dialog
      title={`Drain ${name}?`}
      action="Remove them"
      danger
      onAct={(form) => void drain(form)}
      onClose={onClose}
    >
      <p>{count(counts.waiting)} that wait are removed for good. What runs goes on.</p>
      <label className="check">
        <input type="checkbox" name="delayed" /> Also the {count(counts.delayed)} delayed
      </label>
    </Dialog>
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
  const act = useAct()
  const { name, kind, concurrency, rate } = of
  const limit = async (form: FormData) => {
    const [most, max, seconds] = ['concurrency', 'max', 'seconds'].map(
      (field) => Number(form.get(field)) || null,
    )
    const limits = {
      ...(kind === undefined ? {} : { kind }),
      concurrency: most ?? null,
      rate: max ? { max, per_ms: (seconds ?? 1) * 1_000 } : null,
    }
    if (await act(`Limits of ${kind ?? name} are set`, () => api.limit(name, limits))) onClose()
  }
  return (
    <Dialog
      title={`Limits of ${kind ?? name}`}
      action="Set"
      onAct={(form) => void limit(form)}
      onClose={onClose}
    >
      <label>
        At once, over all workers
        <input
          name="concurrency"
          type="number"
          min={1}
          defaultValue={concurrency ?? ''}
          placeholder="no limit"
        />
      </label>
      <fieldset>
        <label>
          Begun at most
          <input name="max" type="number" min={1} defaultValue={rate?.max ?? ''} placeholder="no limit" />
        </label>
        <label>
          per seconds
          <input name="seconds" type="number" min={1} defaultValue={rate ? rate.per_ms / 1_000 : 60} />
        </label>
      </fieldset>
    </Dialog>
  )
}
