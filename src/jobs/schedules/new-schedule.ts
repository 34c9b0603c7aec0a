import type { Principal } from '#access'
import { InputError } from '#lib/errors'
import { newId } from '#lib/ids'
import { packed } from '../body.ts'
import type { Registry } from '../registry.ts'
import { skewMs } from '../submission/limits.ts'
import { prepare } from '../submission/prepare.ts'
import type { OwnWebhook } from '../webhooks/own.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { type ScheduleRow, timingOf } from './rows.ts'
import type { ScheduleInput } from './shapes.ts'
import { checkCron, timeAfter } from './times.ts'

export type NewScheduleOptions = { principal: Principal; registry: Registry; receivers: Receivers }

/**
 * The schedule that was asked for, nothing stored yet.
 * @throws InputError 422: bad cron or zone, a time that has passed, a job that could not be submitted; SluiceError 403
 */
export function newSchedule(
  input: ScheduleInput,
  { principal, registry, receivers }: NewScheduleOptions,
): { row: ScheduleRow; own: OwnWebhook | null } {
  const now = Date.now()
  const { cron = null, every, at, time_zone, job } = input
  if (cron !== null) checkCron(cron, time_zone)
  if (at !== undefined && Date.parse(at) < now - skewMs) {
    throw new InputError(422, 'bad-body', [{ pointer: '/at', detail: 'must not be in the past' }])
  }
  // Its errors are told now, and not at three in the morning.
  const asked = { ...job, depends_on: [], on_dependency_failure: 'fail' as const }
  const { ownWebhook: own } = ofJob(() =>
    prepare(asked, { registry, principal, needs: [], idempotencyKey: null, receivers }),
  )
  const { input: body = {}, webhook, ...rest } = job
  const told = own === null ? webhook : own.id
  const { tenant, keyId: key_id, capture } = principal
  const { name, overlap, missed, enabled } = input
  const row: ScheduleRow = {
    ...{ id: newId(now), tenant, key_id, capture, name, overlap, missed, enabled, cron, time_zone },
    type: cron !== null ? 'cron' : every !== undefined ? 'interval' : 'once',
    every_ms: every === undefined ? null : Math.round(every * 1_000),
    ...{
      job: typeof told === 'string' ? { ...rest, webhook: told } : rest,
      input: packed(body).body,
      next_at: at === undefined ? null : Date.parse(at),
    },
    ...{ last_at: null, last_job_id: null, error: null, fired: 0, created_at: now },
  }
  const next_at = at === undefined ? timeAfter(timingOf(row), now) : row.next_at
  return { row: { ...row, next_at }, own }
}

/** What is wrong with its job is told by where it is in the body of the schedule. */
export function ofJob<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const errors = error.errors.map((one) => ({ ...one, pointer: `/job${one.pointer}` }))
    throw new InputError(422, error.code, errors, error.help)
  }
}
