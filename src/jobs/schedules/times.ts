import { CronExpressionParser } from 'cron-parser'
import { errorText, InputError } from '#lib/errors'

/** When a schedule is to submit. Times in ms since the epoch. */
export type Timing =
  | { type: 'cron'; cron: string; timeZone: string }
  | { type: 'interval'; everyMs: number; startAt: number }
  | { type: 'once'; at: number }

/** The first time after that one; null where there is none. */
export function timeAfter(timing: Timing, after: number): number | null {
  if (timing.type === 'once') return timing.at > after ? timing.at : null
  if (timing.type === 'cron') return cronAfter(timing, after)
  const { everyMs, startAt } = timing
  return startAt > after ? startAt : startAt + (Math.floor((after - startAt) / everyMs) + 1) * everyMs
}

export function timesAfter(timing: Timing, after: number, count: number): number[] {
  const times: number[] = []
  for (
    let next = timeAfter(timing, after);
    next !== null && times.length < count;
    next = timeAfter(timing, next)
  )
    times.push(next)
  return times
}

/** @throws InputError 422 with what is wrong with it, or that it has no time at all */
export function checkCron(cron: string, timeZone: string): void {
  if (!isTimeZone(timeZone)) throw bad('/time_zone', 'must be a time zone, as in Europe/Berlin')
  try {
    cronAfter({ cron, timeZone }, Date.now())
  } catch (error) {
    throw bad('/cron', `must be a cron expression of 5 or 6 fields: ${errorText(error, 200)}`)
  }
}

function cronAfter({ cron, timeZone }: { cron: string; timeZone: string }, after: number): number {
  if (
    !/^\S+( +\S+){4,5}$/.test(cron.trim()) &&
    !/^@(yearly|annually|monthly|weekly|daily|hourly|minutely)$/.test(cron)
  )
    throw new Error('it has another number of fields')
  return CronExpressionParser.parse(cron, { currentDate: after, tz: timeZone }).next().getTime()
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function bad(pointer: string, detail: string): InputError {
  return new InputError(422, 'bad-body', [{ pointer, detail }])
}
