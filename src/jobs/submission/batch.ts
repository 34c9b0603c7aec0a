import type { Sql } from 'postgres'
import type { Principal } from '#access'
import { InputError, SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { located } from '#lib/input'
import { problemBody } from '#lib/problem'
import type { Registry } from '../registry.ts'
import { knownWebhooks } from '../webhooks/queries.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { type Flow, planFlow } from './flow.ts'
import { earlierAnswers } from './idempotency.ts'
import { knownJobs, unknownWebhook } from './needs.ts'
import type { Idempotency, NewJob } from './new-job.ts'
import { prepare } from './prepare.ts'
import { type BatchAnswer, batchItem, type Submission } from './shapes.ts'
import type { Stored, Submit } from './submit.ts'

export type BatchOptions = {
  sql: Sql
  registry: Registry
  submit: Pick<Submit, 'store' | 'hold'>
  receivers?: Receivers | undefined
  principal: Principal
  /** Of the whole batch: each item's own is this with its place. */
  idempotencyKey: string | null
}

type Outcome = Stored | Error
const storedAtOnce = 500

/** Many jobs at once, each with an answer of its own: one that is refused takes with it only what depends on it. */
export async function submitBatch(values: readonly unknown[], options: BatchOptions): Promise<BatchAnswer> {
  const outcomes: Outcome[] = []
  const items = values.map((value, index) => {
    const item = read(value)
    if (!(item instanceof Error)) return item
    outcomes[index] = item
    return null
  })
  const flow = planFlow(items, await knownNeeds(items, options))
  const webhooks = await knownWebhooks(options.sql, options.principal.tenant, webhooksOf(items))
  for (const [index, error] of flow.errors) outcomes[index] ??= error
  const letGo: (() => void)[] = []
  try {
    const jobs = prepareAll(items, flow, { ...options, outcomes, letGo, webhooks })
    await answerAgain(jobs, flow, { ...options, outcomes })
    await storeAll(jobs, flow, { ...options, outcomes })
  } finally {
    for (const one of letGo) one()
  }
  return answerOf(items, outcomes)
}

function read(value: unknown): Submission | InputError {
  if (value instanceof InputError) return value
  const parsed = batchItem.safeParse(value)
  return parsed.success ? parsed.data : new InputError(422, 'bad-body', located(parsed.error))
}

function webhooksOf(items: readonly (Submission | null)[]): string[] {
  return [...new Set(items.flatMap((item) => (typeof item?.webhook === 'string' ? [item.webhook] : [])))]
}

async function knownNeeds(
  items: readonly (Submission | null)[],
  options: BatchOptions,
): Promise<Set<string>> {
  const named = items.flatMap((item) => item?.depends_on.filter(isId) ?? [])
  return await knownJobs(options.sql, options.principal.tenant, [...new Set(named)])
}

type Work = BatchOptions & { outcomes: Outcome[] }

/** In the order of the flow, so that the ids that an item needs are there. */
function prepareAll(
  items: readonly (Submission | null)[],
  { order, needs }: Flow,
  { outcomes, letGo, webhooks, ...options }: Work & { letGo: (() => void)[]; webhooks: ReadonlySet<string> },
): Map<number, NewJob> {
  const jobs = new Map<number, NewJob>()
  for (const index of order) {
    const item = items[index]
    if (item === undefined || item === null || outcomes[index] !== undefined) continue
    try {
      const ids = (needs[index] ?? []).map((need) => (typeof need === 'string' ? need : jobs.get(need)?.id))
      if (ids.includes(undefined)) throw refusedBefore()
      if (typeof item.webhook === 'string' && !webhooks.has(item.webhook)) throw unknownWebhook()
      const key =
        item.idempotency_key ??
        (options.idempotencyKey === null ? null : `${options.idempotencyKey}/${index}`)
      const job = prepare(item, {
        ...options,
        needs: ids.filter((id) => id !== undefined),
        idempotencyKey: key,
      })
      if (key !== null) letGo.push(options.submit.hold(options.principal.tenant, key))
      jobs.set(index, job)
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error
      outcomes[index] = error
    }
  }
  return jobs
}

/** Those of a flow that were taken before keep their ids, which the others must wait for. */
async function answerAgain(
  jobs: Map<number, NewJob>,
  { needs }: Flow,
  { sql, outcomes }: Work,
): Promise<void> {
  const keyed = [...jobs.values()].filter(
    (job): job is NewJob & { idempotency: Idempotency } => job.idempotency !== null,
  )
  if (keyed.length === 0 || !needs.some((list) => list.length > 0)) return
  const earlier = await earlierAnswers(sql, keyed)
  const changed = new Map<string, string>()
  for (const [index, job] of jobs) {
    const answer = earlier.get(job.id)
    if (answer === undefined || (answer instanceof SluiceError && answer.status === 409)) continue
    outcomes[index] = answer instanceof SluiceError ? answer : { job: answer, replayed: true }
    if (!(answer instanceof SluiceError)) changed.set(job.id, answer.id)
    jobs.delete(index)
  }
  for (const [index, job] of jobs) {
    jobs.set(index, { ...job, needs: job.needs.map((id) => changed.get(id) ?? id) })
  }
}

async function storeAll(
  jobs: Map<number, NewJob>,
  { needs }: Flow,
  { submit, outcomes }: Work,
): Promise<void> {
  const waiting = [...jobs]
  while (waiting.length > 0) {
    const group = waiting.splice(0, storedAtOnce).filter(([index]) => {
      const lost = (needs[index] ?? []).some(
        (need) => typeof need === 'number' && outcomes[need] instanceof Error,
      )
      if (lost) outcomes[index] = refusedBefore()
      return !lost
    })
    const stored = await submit.store(group.map(([, job]) => job)).catch((error: unknown) => asError(error))
    for (const [place, [index]] of group.entries()) {
      outcomes[index] = stored instanceof Error ? stored : (stored[place] ?? new Error('not stored'))
    }
  }
}

function answerOf(items: readonly (Submission | null)[], outcomes: readonly Outcome[]): BatchAnswer {
  const list = items.map((item, index) => {
    const outcome = outcomes[index] ?? new Error('not stored')
    const about = { index, ...(item?.ref === undefined ? {} : { ref: item.ref }) }
    if (!(outcome instanceof Error)) return { ...about, status: 202, job: outcome.job }
    const error = problemBody(outcome)
    return { ...about, status: error.status, error }
  })
  const taken = list.filter(({ status }) => status === 202).length
  return { accepted: taken, refused: list.length - taken, items: list }
}

function refusedBefore(): InputError {
  const detail = 'an item that it depends on was refused'
  return new InputError(422, 'dependency-refused', [{ pointer: '/depends_on', detail }])
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
