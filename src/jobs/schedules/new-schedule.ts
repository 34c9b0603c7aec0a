import type { Principal } from '#access'
import { InputError } from '#lib/errors'
import { newId } from '#lib/ids'
import { packed } from '../body.ts'
import type { Registry } from '../registry.ts'
import { prepare } from '../submission/prepare.ts'
import type { OwnWebhook } from '../webhooks/own.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { timingFrom } from './asked-timing.ts'
import type { ScheduleRow } from './rows.ts'
import type { ScheduledJob, ScheduleInput } from './shapes.ts'

export type NewScheduleOptions = { principal: Principal; registry: Registry; receivers: Receivers }

/**
 * The schedule that was asked for, nothing stored yet.
 * @throws InputError 422: bad cron or zone, a time that has passed, a job that could not be submitted; SluiceError 403
 */
export function newSchedule(
  input: ScheduleInput,
  options: NewScheduleOptions,
): { row: ScheduleRow; own: OwnWebhook | null } {
  const now = Date.now()
  const timing = timingFrom(input, now)
  const { own, ...job } = rowJob(input.job, options)
  const { tenant, keyId: key_id, capture } = options.principal
  const { name, overlap, missed, enabled } = input
  const row: ScheduleRow = {
    ...{ id: newId(now), tenant, key_id, capture, name, overlap, missed, enabled, ...timing, ...job },
    ...{ last_at: null, last_job_id: null, error: null, fired: 0, created_at: now },
  }
  return { row, own }
}

/**
 * What it submits, as a row has it; its errors are told now, and not at three in the morning.
 * @throws InputError 422, SluiceError 403
 */
export function rowJob(
  job: ScheduledJob,
  { principal, registry, receivers }: NewScheduleOptions,
): Pick<ScheduleRow, 'job' | 'input'> & { own: OwnWebhook | null } {
  const asked = { ...job, depends_on: [], on_dependency_failure: 'fail' as const }
  const { ownWebhook: own } = ofJob(() =>
    prepare(asked, { registry, principal, needs: [], idempotencyKey: null, receivers }),
  )
  const { input = {}, webhook, ...rest } = job
  const told = own === null ? webhook : own.id
  return { job: typeof told === 'string' ? { ...rest, webhook: told } : rest, input: packed(input).body, own }
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
