import type { Sql } from 'postgres'
import type { Principal } from '#access'
import { InputError, SluiceError } from '#lib/errors'
import { located } from '#lib/input'
import { settleDependants } from '../dependencies.ts'
import type { Announcer } from '../events/announce.ts'
import type { Registry } from '../registry.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { openGroupCommit } from './group-commit.ts'
import { earlierAnswers, openInFlight } from './idempotency.ts'
import { insertJobs } from './insert.ts'
import { checkNeeds, checkWebhook } from './needs.ts'
import { acceptedOf, type Idempotency, type NewJob } from './new-job.ts'
import { prepare } from './prepare.ts'
import { type Accepted, submission } from './shapes.ts'

/** `replayed`: the answer to an earlier request with the same idempotency key. */
export type Stored = { job: Accepted; replayed: boolean }

export type Submit = {
  /** @throws SluiceError, InputError: 403, 409, 413, 422; 503 `jobs-unavailable` within a second */
  submit(principal: Principal, body: unknown, idempotencyKey: string | null): Promise<Stored>
  /** Stores what was prepared, together with whatever else comes now. An error stands for its one job. */
  store(jobs: readonly NewJob[]): Promise<(Stored | SluiceError)[]>
  hold(tenant: string, key: string): () => void
  close(): Promise<void>
}

export type SubmitOptions = {
  sql: Sql
  registry: Registry
  announcer: Announcer
  /** Without, no job may bring a webhook of its own. */
  receivers?: Receivers | undefined
  onStored?: (kind: string, tenant: string) => void
}

export function openSubmit({
  sql,
  registry,
  announcer,
  receivers,
  onStored = () => {},
}: SubmitOptions): Submit {
  const inFlight = openInFlight()
  const group = openGroupCommit({ write, bytesOf: ({ input }: NewJob) => input.body.length + 500 })

  async function submit(principal: Principal, body: unknown, idempotencyKey: string | null): Promise<Stored> {
    const parsed = submission.safeParse(body)
    if (!parsed.success) throw new InputError(422, 'bad-body', located(parsed.error))
    const needs = parsed.data.depends_on
    const job = prepare(parsed.data, { registry, principal, needs, idempotencyKey, receivers })
    if (needs.length > 0) await checkNeeds(sql, principal.tenant, needs)
    if (job.webhookId !== null && job.ownWebhook === null)
      await checkWebhook(sql, principal.tenant, job.webhookId)
    const letGo = idempotencyKey === null ? null : inFlight.hold(principal.tenant, idempotencyKey)
    try {
      const [stored] = await store([job])
      if (stored === undefined || stored instanceof SluiceError) throw stored ?? new Error('not stored')
      return stored
    } finally {
      letGo?.()
    }
  }

  async function store(jobs: readonly NewJob[]): Promise<(Stored | SluiceError)[]> {
    const stored = await group.add(jobs)
    const dependent = jobs.filter(({ needs }) => needs.length > 0).map(({ id }) => id)
    if (dependent.length > 0) await settleDependants(sql, dependent).catch(() => {}) // the feeder makes up for it
    if (jobs.some(({ state }) => state !== 'waiting') || dependent.length > 0) announcer.due()
    return stored
  }

  async function write(jobs: readonly NewJob[]): Promise<(Stored | SluiceError)[]> {
    const fresh = await insertJobs(sql, jobs)
    const taken = jobs.filter(isTaken)
    const earlier = taken.length > 0 ? await earlierAnswers(sql, taken) : new Map<string, never>()
    return jobs.map((job) => {
      const answer = earlier.get(job.id)
      if (answer instanceof SluiceError) return answer
      if (answer !== undefined) return { job: answer, replayed: true }
      onStored(job.kind, job.tenant)
      return { job: acceptedOf(job, { secret: true }), replayed: false }
    })

    function isTaken(job: NewJob): job is NewJob & { idempotency: Idempotency } {
      return !fresh.has(job.id)
    }
  }

  return { submit, store, hold: inFlight.hold, close: group.idle }
}
