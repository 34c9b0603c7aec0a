import { useState } from 'react'
import { api, type JobKind, type ScheduleView } from '../data/api.ts'
import { useSession } from '../data/session.ts'
import { useLoad } from '../data/use-load.ts'
import { Failure, Loading } from '../ui/bits.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { FormDialog, typed } from '../ui/form-dialog.tsx'
import { useSay } from '../ui/notices.tsx'
import { changedPart, readForm, skeleton } from './schedule-form.ts'
import { When } from './schedule-when.tsx'

type ScheduleDialogProps = {
  /** The one to change; null: a new one. */
  id: string | null
  onClose: () => void
  onDone: () => void
}

/** A new schedule, or another form of one. Its input and the kinds of jobs are fetched first. */
export function ScheduleDialog({ id, ...rest }: ScheduleDialogProps) {
  const { value, error, reload } = useLoad(`schedule ${id}`, async (signal) => {
    const [kinds, schedule] = await Promise.all([
      api.kinds({ signal }),
      id === null ? null : api.schedule(id, { signal }),
    ])
    return { kinds: kinds.items, schedule }
  })
  if (value !== undefined) return <ScheduleForm {...value} {...rest} />
  return (
    <Dialog title="Schedule" wide onClose={rest.onClose}>
      {error === null ? <Loading /> : <Failure error={error} retry={reload} />}
    </Dialog>
  )
}

type ScheduleFormProps = Omit<ScheduleDialogProps, 'id'> & { kinds: JobKind[]; schedule: ScheduleView | null }

function ScheduleForm({ kinds: known, schedule, onClose, onDone }: ScheduleFormProps) {
  const { me } = useSession()
  const say = useSay()
  const job = schedule?.job
  const mine = known.filter(({ needs }) =>
    needs.every((one) => me.scopes.includes(one) || isAdmin(me.scopes)),
  )
  const [kind, setKind] = useState(job?.kind ?? mine[0]?.name ?? '')
  const chosen = known.find(({ name }) => name === kind)
  const listed =
    job === undefined || mine.some(({ name }) => name === job.kind) ? mine : [{ name: job.kind }, ...mine]
  const [input, setInput] = useState(() => JSON.stringify(job?.input ?? skeleton(chosen), null, 2))

  const choose = (name: string) => {
    // What somebody typed is theirs; what we put there goes with its kind.
    if (input === JSON.stringify(skeleton(chosen), null, 2))
      setInput(JSON.stringify(skeleton(known.find((one) => one.name === name)), null, 2))
    setKind(name)
  }
  const save = async (form: FormData) => {
    const whole = (part: string) => changedPart(schedule, readForm(form, part, job), input)
    const json = typed('job/input', input, whole)
    await (schedule === null ? api.addSchedule(json) : api.changeSchedule(schedule.id, json))
    say(schedule === null ? 'The schedule is made' : 'The schedule is changed')
    onDone()
  }
  return (
    <FormDialog
      title={schedule === null ? 'New schedule' : `Change ${schedule.name}`}
      action={schedule === null ? 'Schedule it' : 'Save'}
      wide
      onSave={save}
      onClose={onClose}
    >
      <Field label="Name" name="name">
        {(control) => <input {...control} required maxLength={200} defaultValue={schedule?.name ?? ''} />}
      </Field>
      <When schedule={schedule} />
      <div className="pair">
        <Field label="While its last job runs" name="overlap">
          {(control) => (
            <select {...control} defaultValue={schedule?.overlap ?? 'allow'}>
              <option value="allow">submit another</option>
              <option value="skip">pass the time over</option>
            </select>
          )}
        </Field>
        <Field label="Times missed while no worker ran" name="missed">
          {(control) => (
            <select {...control} defaultValue={schedule?.missed ?? 'once'}>
              <option value="once">make up for them once</option>
              <option value="skip">leave them out</option>
            </select>
          )}
        </Field>
      </div>
      <Field label="Kind of job" name="job/kind" hint={chosen?.summary}>
        {(control) => (
          <select {...control} value={kind} onChange={({ target }) => choose(target.value)}>
            {listed.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Input, as JSON" name="job/input">
        {(control) => (
          <textarea
            {...control}
            rows={8}
            spellCheck={false}
            value={input}
            onChange={({ target }) => setInput(target.value)}
          />
        )}
      </Field>
      {chosen !== undefined && (
        <details>
          <summary>What {kind} takes</summary>
          <pre>{JSON.stringify(chosen.input, null, 2)}</pre>
        </details>
      )}
      <div className="pair">
        <Field label="Tags, with commas" name="job/tags">
          {(control) => <input {...control} defaultValue={job?.tags?.join(', ') ?? ''} />}
        </Field>
        <Field label="Attempts in all" name="job/attempts">
          {(control) => (
            <input
              {...control}
              type="number"
              min={1}
              max={100}
              defaultValue={job?.attempts ?? ''}
              placeholder={chosen === undefined ? '' : `${chosen.defaults.attempts}, as usual for ${kind}`}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  )
}

function isAdmin(scopes: readonly string[]): boolean {
  return scopes.includes('admin')
}
