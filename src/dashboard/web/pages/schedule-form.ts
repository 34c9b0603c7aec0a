import type { JobKind, ScheduledJob, ScheduleView, Timing } from '../data/api.ts'

/** Between the fields of a schedule's form and the body that the server takes. */

export type Asked = Timing & {
  name: string
  overlap: string
  missed: string
  job: ScheduledJob
}

const units = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400 }
export type Unit = keyof typeof units
export const unitNames = Object.keys(units) as Unit[]

/** `input`: what stands for it. `before`: keeps what the form does not show, as its webhook. */
export function readForm(form: FormData, input: string, before: ScheduledJob | undefined): Asked {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const { attempts: _, ...kept } = before ?? { kind: '' }
  const attempts = text('job/attempts')
  const tags = text('job/tags')
    .split(',')
    .flatMap((tag) => tag.trim() || [])
  const job = { ...kept, kind: text('job/kind'), input, tags }
  return {
    ...{ name: text('name'), overlap: text('overlap'), missed: text('missed') },
    ...timingOf(form),
    job: attempts === '' ? job : { ...job, attempts: Number(attempts) },
  }
}

export function timingOf(form: FormData): Timing {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const type = text('type')
  if (type === 'cron') return { cron: text('cron'), time_zone: text('time_zone') }
  if (type === 'interval') return { every: Number(text('every')) * units[text('unit') as Unit] }
  const at = new Date(text('at'))
  // One that has come has no time any more, and may stay without.
  return Number.isNaN(at.getTime()) ? {} : { at: at.toISOString() }
}

/** Of a change only what is another: a job that is sent becomes that of whoever sends it. `input`: as it was typed. */
export function changedPart(before: ScheduleView | null, asked: Asked, input: string): Partial<Asked> {
  if (before === null) return asked
  const { name, overlap, missed, job, ...timing } = asked
  const same = {
    cron: before.cron,
    time_zone: before.time_zone,
    every: before.every,
    at: toTheSecond(before.next_at),
  }
  const moved = Object.entries(timing).some(([field, value]) => same[field as keyof typeof same] !== value)
  return {
    ...(name === before.name ? {} : { name }),
    ...(overlap === before.overlap ? {} : { overlap }),
    ...(missed === before.missed ? {} : { missed }),
    ...(moved ? timing : {}),
    ...(isSame(before.job, job, input) ? {} : { job }),
  }
}

/** As the form's field has it. */
function toTheSecond(iso: string | null): string | null {
  return iso === null ? null : new Date(Math.floor(Date.parse(iso) / 1_000) * 1_000).toISOString()
}

function isSame(before: ScheduledJob, job: ScheduledJob, input: string): boolean {
  const shape = ({ kind, tags = [], attempts }: ScheduledJob) =>
    JSON.stringify([kind, tags, attempts ?? null])
  return shape(before) === shape(job) && JSON.stringify(before.input) === JSON.stringify(JSON.parse(input))
}

/** An interval in the largest unit that it is a whole number of. */
export function unitOf(seconds: number): { every: number; unit: Unit } {
  const unit = unitNames.findLast((name) => seconds % units[name] === 0) ?? 'seconds'
  return { every: seconds / units[unit], unit }
}

/** What a kind must be given at least, to be filled in. */
export function skeleton(kind: JobKind | undefined): unknown {
  const { properties, required } = (kind?.input ?? {}) as {
    properties?: Record<string, { type?: string; enum?: unknown[] }>
    required?: string[]
  }
  const empty: Record<string, unknown> = {
    string: '',
    number: 0,
    integer: 0,
    boolean: false,
    array: [],
    object: {},
  }
  return Object.fromEntries(
    (required ?? []).map((name) => {
      const of = properties?.[name]
      return [name, of?.enum?.[0] ?? empty[of?.type ?? ''] ?? null]
    }),
  )
}
