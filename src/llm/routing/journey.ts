import type { CaptureMode, Routed } from '#capture'
import type { Plan } from './plan.ts'
import type { Served, Tried } from './tries.ts'

/** What a planned call met on its way: for the record, and for the headers of its answer. */
export type Journey = {
  plan: Plan
  tried: Tried[]
  /** Null until somebody answers. */
  served: Served | null
  /** Null: none is named. */
  model: string | null
  /** Set where it climbed a ladder: each of its tries is a call with a record of its own. */
  climb?: string
}

/** In `metadata` mode of a warning only its kind is kept. */
export function routedOf({ plan, tried, served, model, climb }: Journey, mode: CaptureMode): Routed {
  const crossing = served?.outgoing.crossing ?? null
  return {
    route: plan.route,
    provider: climb === undefined ? (served?.candidate.provider ?? null) : 'ladder',
    model: served === null ? null : (served.candidate.model ?? model),
    attempts: tried,
    warnings: (crossing?.warnings() ?? []).map((text) =>
      mode === 'metadata' ? (text.split(/[:\s]/)[0] ?? '') : text,
    ),
    ...(crossing === null ? {} : { usage: crossing.told().usage }),
    ...(climb === undefined ? {} : { climb }),
  }
}

/** `sluice-…` headers of the answer. */
export function marksOf({ plan, tried, served, model, climb }: Journey): Record<string, string> {
  const marks: Record<string, string> = {}
  const mark = (name: string, value: string | null | undefined) => {
    if (value) marks[name] = printable(value)
  }
  Object.assign(marks, routeMark(plan))
  if (tried.length > 0) mark('sluice-attempt', String(tried.length))
  mark('sluice-ladder', climb)
  mark('sluice-provider', served?.candidate.provider)
  mark('sluice-model', served?.candidate.model ?? model)
  mark('sluice-warning', served?.outgoing.crossing?.warnings().join('; '))
  return marks
}

/** The rule that the call went by. */
export function routeMark(plan: Plan | null): Record<string, string> {
  return plan?.route ? { 'sluice-route': printable(plan.route) } : {}
}

/** Of characters that a header takes, and no longer than one may be. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 2_000)
}
