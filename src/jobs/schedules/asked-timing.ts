import { InputError } from '#lib/errors'
import { skewMs } from '../submission/limits.ts'
import { type ScheduleRow, timingOf } from './rows.ts'
import { checkCron, timeAfter } from './times.ts'

export type AskedTiming = {
  cron?: string | undefined
  every?: number | undefined
  at?: string | undefined
  time_zone: string
}

export type RowTiming = Pick<ScheduleRow, 'type' | 'cron' | 'time_zone' | 'every_ms' | 'next_at'>

/**
 * As a row has it, from now on. `createdAt`: what intervals are counted from, in ms since the epoch.
 * @throws InputError 422: bad cron or zone, a time that has passed
 */
export function timingFrom({ cron, every, at, time_zone }: AskedTiming, createdAt: number): RowTiming {
  const now = Date.now()
  const none = { time_zone, cron: null, every_ms: null, next_at: null }
  if (at !== undefined) {
    const next_at = Date.parse(at)
    if (next_at < now - skewMs) throw passed()
    return { ...none, type: 'once', next_at }
  }
  if (cron !== undefined) checkCron(cron, time_zone)
  const timing: RowTiming =
    cron !== undefined
      ? { ...none, type: 'cron', cron }
      : { ...none, type: 'interval', every_ms: Math.round((every ?? 0) * 1_000) }
  return { ...timing, next_at: timeAfter(timingOf({ ...timing, created_at: createdAt }), now) }
}

function passed(): InputError {
  return new InputError(422, 'bad-body', [{ pointer: '/at', detail: 'must not be in the past' }])
}
