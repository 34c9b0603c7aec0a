import { useState } from 'react'
import type { ScheduleView } from '../data/api.ts'
import { Field } from '../ui/field.tsx'
import { unitNames, unitOf } from './schedule-form.ts'
import { NextTimes } from './schedule-times.tsx'

const here = Intl.DateTimeFormat().resolvedOptions().timeZone
const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

/** The fields that say when; of cron also what comes of it. */
export function When({ schedule }: { schedule: ScheduleView | null }) {
  const [type, setType] = useState<ScheduleView['type']>(schedule?.type ?? 'cron')
  const [cron, setCron] = useState(schedule?.cron ?? '0 3 * * *')
  const [zone, setZone] = useState(schedule?.time_zone ?? here)
  const { every, unit } = unitOf(schedule?.every ?? 3_600)
  return (
    <>
      <Field label="When" name="type">
        {(control) => (
          <select
            {...control}
            value={type}
            onChange={({ target }) => setType(target.value as ScheduleView['type'])}
          >
            <option value="cron">at times, by cron</option>
            <option value="interval">every so often</option>
            <option value="once">once</option>
          </select>
        )}
      </Field>
      {type === 'cron' && (
        <>
          <div className="pair">
            <Field
              label="Cron"
              name="cron"
              hint="minute hour day month weekday; seconds first, where there are six"
            >
              {(control) => (
                <input
                  {...control}
                  className="code"
                  required
                  maxLength={200}
                  autoComplete="off"
                  spellCheck={false}
                  value={cron}
                  onChange={({ target }) => setCron(target.value)}
                />
              )}
            </Field>
            <Field label="Time zone" name="time_zone">
              {(control) => (
                <>
                  <input
                    {...control}
                    required
                    list="zones"
                    autoComplete="off"
                    spellCheck={false}
                    value={zone}
                    onChange={({ target }) => setZone(target.value)}
                  />
                  <datalist id="zones">
                    {zones.map((name) => (
                      <option key={name} value={name} />
                    ))}
                  </datalist>
                </>
              )}
            </Field>
          </div>
          <NextTimes cron={cron.trim()} zone={zone.trim()} />
        </>
      )}
      {type === 'interval' && (
        <div className="pair">
          <Field label="Every" name="every">
            {(control) => (
              <input {...control} type="number" min={0} step="any" required defaultValue={every} />
            )}
          </Field>
          <Field label="Unit" name="unit">
            {(control) => (
              <select {...control} defaultValue={unit}>
                {unitNames.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          </Field>
        </div>
      )}
      {type === 'once' && (
        <Field label={`At, by the clock of ${here}`} name="at">
          {(control) => (
            <input
              {...control}
              type="datetime-local"
              step={1}
              required={schedule?.type !== 'once' || schedule.next_at !== null}
              defaultValue={localTime(schedule?.next_at ?? null)}
            />
          )}
        </Field>
      )}
    </>
  )
}

/** As a field of this browser has it. */
function localTime(iso: string | null): string {
  if (iso === null) return ''
  const time = new Date(iso)
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
