import { useState } from 'react'
import { api, type NewRuleView, type RuleInput, type RuleView } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { count, duration } from '../data/format.ts'
import { Field } from '../ui/field.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'

type Measure = RuleInput['measure']

const measures: Record<Measure, { label: string; unit: string | null; usual: number }> = {
  backlog: { label: 'More jobs wait than', unit: 'Jobs', usual: 1_000 },
  'oldest-age': { label: 'The oldest waits longer than', unit: 'Seconds', usual: 300 },
  'failure-rate': { label: 'More fail, of the last 15 minutes, than', unit: 'Percent', usual: 20 },
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

type RuleDialogProps = {
  /** The one to change; null: a new one. */
  rule: RuleView | null
  onClose: () => void
  onDone: (rule: NewRuleView) => void
}

export function RuleDialog({ rule, onClose, onDone }: RuleDialogProps) {
  const { board } = useBoard()
  const [measure, setMeasure] = useState<Measure>(rule?.measure ?? 'backlog')
  const { unit, usual } = measures[measure]
  const queues = rule === null ? (board?.queues.map(({ name }) => name) ?? []) : [rule.queue]

  const save = async (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? '').trim()
    const asked: RuleInput = {
      name: text('name'),
      queue: rule?.queue ?? text('queue'),
      measure,
      threshold: Number(text('threshold')),
      for_s: Number(text('for_s')),
      webhook_url: text('webhook_url') || null,
    }
    onDone(rule === null ? await api.addRule(asked) : await api.changeRule(rule.id, changedPart(rule, asked)))
  }
  return (
    <FormDialog
      title={rule === null ? 'New rule' : 'Change the rule'}
      action={rule === null ? 'Watch' : 'Save'}
      onSave={save}
      onClose={onClose}
    >
      <Field label="Queue" name="queue">
        {(control) => (
          <select {...control} disabled={rule !== null}>
            {queues.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Tell when" name="measure">
        {(control) => (
          <select
            {...control}
            value={measure}
            disabled={rule !== null}
            onChange={({ target }) => setMeasure(target.value as Measure)}
          >
            {Object.entries(measures).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="pair">
        {unit !== null && (
          <Field key={measure} label={unit} name="threshold">
            {(control) => (
              <input
                {...control}
                type="number"
                min={0}
                step="any"
                defaultValue={rule?.measure === measure ? rule.threshold : usual}
                required
              />
            )}
          </Field>
        )}
        <Field label="For so many seconds" name="for_s">
          {(control) => (
            <input {...control} type="number" min={0} defaultValue={rule?.for_s ?? 60} required />
          )}
        </Field>
      </div>
      <Field
        label="Webhook, if any"
        name="webhook_url"
        hint={rule?.webhook_url == null ? undefined : 'Another address gets another secret.'}
      >
        {(control) => (
          <input
            {...control}
            inputMode="url"
            placeholder="https://…"
            defaultValue={rule?.webhook_url ?? ''}
          />
        )}
      </Field>
      <Field label="Name, if any" name="name">
        {(control) => <input {...control} maxLength={200} defaultValue={rule?.name ?? ''} />}
      </Field>
    </FormDialog>
  )
}

/** What stays is not sent: a receiver that was given up would be asked again. */
function changedPart(rule: RuleView, asked: RuleInput): Partial<RuleInput> {
  const is: Partial<Record<string, unknown>> = rule
  return Object.fromEntries(Object.entries(asked).filter(([name, value]) => is[name] !== value))
}
