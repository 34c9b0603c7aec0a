import { useState } from 'react'
import { api, type NewRuleView, type RuleInput } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { count, duration } from '../data/format.ts'
import { Dialog } from '../ui/dialog.tsx'
import { useAct } from '../ui/notices.tsx'

type Measure = RuleInput['measure']

const measures: Record<Measure, { label: string; unit: string | null; usual: number }> = {
  backlog: { label: 'More jobs wait than', unit: 'jobs', usual: 1_000 },
  'oldest-age': { label: 'The oldest waits longer than', unit: 'seconds', usual: 300 },
  'failure-rate': { label: 'More fail, of the last 15 minutes, than', unit: 'percent', usual: 20 },
  'no-workers': { label: 'Jobs wait and no worker is there', unit: null, usual: 0 },
}

/** A rule, or what came of it, in words. */
export function said(of: {
  queue: string
  measure: Measure
  threshold: number
  value?: number | null
}): string {
  const words = {
    backlog: `more than ${count(of.threshold)} wait`,
    'oldest-age': `the oldest waits longer than ${duration(of.threshold * 1_000)}`,
    'failure-rate': `more than ${of.threshold}% fail`,
    'no-workers': 'jobs wait and no worker is there',
  }[of.measure]
  return `${of.queue}: ${words}`
}

export function RuleDialog({
  onClose,
  onDone,
}: {
  onClose: () => void
  onDone: (rule: NewRuleView) => void
}) {
  const { board } = useBoard()
  const [measure, setMeasure] = useState<Measure>('backlog')
  const act = useAct()
  const { unit, usual } = measures[measure]

  const add = async (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const rule: RuleInput = {
      name: text('name'),
      queue: text('queue'),
      measure,
      threshold: Number(text('threshold')) || 0,
      for_s: Number(text('for_s')) || 0,
      webhook_url: text('webhook_url') || null,
    }
    let made: NewRuleView | undefined
    const well = await act('The rule is on', async () => {
      made = await api.addRule(rule)
    })
    if (well && made !== undefined) onDone(made)
  }
  return (
    <Dialog title="New rule" action="Watch" onAct={(form) => void add(form)} onClose={onClose}>
      <label>
        Queue
        <select name="queue">
          {board?.queues.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Tell when
        <select value={measure} onChange={({ target }) => setMeasure(target.value as Measure)}>
          {Object.entries(measures).map(([name, { label }]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        {unit !== null && (
          <label>
            {unit}
            <input key={measure} name="threshold" type="number" min={0} defaultValue={usual} required />
          </label>
        )}
        <label>
          for seconds
          <input name="for_s" type="number" min={0} defaultValue={60} />
        </label>
      </fieldset>
      <label>
        Webhook, if any
        <input name="webhook_url" type="url" placeholder="https://…" />
      </label>
      <label>
        Name, if any
        <input name="name" maxLength={200} />
      </label>
    </Dialog>
  )
}
