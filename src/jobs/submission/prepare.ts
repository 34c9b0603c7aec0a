import { createHash } from 'node:crypto'
import { may, type Principal } from '#access'
import { InputError, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { located } from '#lib/input'
import { packed } from '../body.ts'
import { schemaOf } from '../input-schema.ts'
import { type Kind, ordinary } from '../kind.ts'
import type { Registry } from '../registry.ts'
import { madeOwn } from '../webhooks/own.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { wordsOf } from '../words.ts'
import { mostBytes, skewMs } from './limits.ts'
import type { NewJob } from './new-job.ts'
import type { Submission } from './shapes.ts'

export type PrepareOptions = {
  registry: Registry
  principal: Principal
  /** `depends_on` as ids. */
  needs: readonly string[]
  idempotencyKey: string | null
  receivers?: Receivers | undefined
}

/**
 * The job that was asked for, nothing stored yet.
 * @throws SluiceError 403 where the kind needs a scope that the key lacks; 413; InputError 422 `unknown-kind`,
 *   `bad-input` with the kind's schema, `bad-body`
 */
export function prepare(asked: Submission, options: PrepareOptions): NewJob {
  const { principal, needs, idempotencyKey } = options
  const kind = options.registry.get(asked.kind)
  for (const scope of kind.needs ?? []) if (!may(principal, scope)) throw lacksScope(kind, scope)
  const value = asked.input === undefined ? {} : asked.input
  checkInput(kind, value)
  const input = packed(value)
  if (input.bytes > mostBytes) throw tooLarge()
  const createdAt = Date.now()
  const runAt = runAtOf(asked, createdAt)
  const defaults = { ...ordinary, ...kind.defaults }
  return {
    ...{ id: newId(createdAt), tenant: principal.tenant, keyId: principal.keyId, capture: principal.capture },
    ...{
      kind: kind.name,
      priority: asked.priority,
      tags: [...new Set(asked.tags)],
      createdAt,
      runAt,
      input,
      needs,
    },
    state: needs.length > 0 ? 'waiting' : runAt > createdAt ? 'scheduled' : 'queued',
    concurrencyKey: asked.concurrency_key ?? null,
    concurrencyLimit: asked.concurrency_limit,
    expiresAt: asked.ttl === undefined ? null : createdAt + asked.ttl * 1_000,
    attempts: asked.attempts ?? defaults.attempts,
    backoff: asked.backoff ?? defaults.backoff,
    timeoutMs: asked.timeout === undefined ? defaults.timeoutMs : Math.ceil(asked.timeout * 1_000),
    ...{
      retryOf: asked.retry_of ?? null,
      scheduleId: null,
      ...webhookOf(asked, options.receivers),
      dependencyPolicy: asked.on_dependency_failure,
    },
    // The row must hold what is to be done; the search index need not hold what nobody may read.
    words: `${principal.capture === 'metadata' ? '' : wordsOf(value)} ${asked.tags.join(' ')}`.trim(),
    idempotency: idempotencyKey === null ? null : { key: idempotencyKey, sha256: digest(asked) },
  }
}

/** @throws InputError 422 `bad-input` */
export function checkInput(kind: Kind, value: unknown): void {
  const parsed = kind.input.safeParse(value)
  if (parsed.success) return
  const errors = located(parsed.error).map(({ pointer, detail }) => ({ pointer: `/input${pointer}`, detail }))
  throw new InputError(422, 'bad-input', errors, { kind: kind.name, schema: schemaOf(kind) })
}

/** @throws SluiceError 422 where the address must not be asked */
function webhookOf({ webhook }: Submission, receivers: Receivers | undefined) {
  if (webhook === undefined || typeof webhook === 'string')
    return { webhookId: webhook ?? null, ownWebhook: null }
  if (receivers === undefined) throw bad('/webhook', 'must be the id of a webhook here')
  const own = madeOwn(webhook, receivers)
  return { webhookId: own.id, ownWebhook: own }
}

function runAtOf({ run_at, delay }: Submission, now: number): number {
  if (run_at !== undefined && delay !== undefined) throw bad('/run_at', 'must not be given beside delay')
  if (delay !== undefined) return now + delay * 1_000
  if (run_at === undefined) return now
  const time = Date.parse(run_at)
  if (time < now - skewMs)
    throw bad('/run_at', `must not be in the past: it is ${new Date(now).toISOString()} here`)
  return Math.max(time, now)
}

function digest(asked: Submission): string {
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex')
}

function bad(pointer: string, detail: string): InputError {
  return new InputError(422, 'bad-body', [{ pointer, detail }])
}

function lacksScope(kind: Kind, scope: string): SluiceError {
  return new SluiceError(403, 'forbidden', `A job of the kind ${kind.name} needs the scope ${scope} too`)
}

function tooLarge(): SluiceError {
  return new SluiceError(
    413,
    'input-too-large',
    `The input is larger than ${mostBytes} bytes, the limit of a job`,
  )
}
