import type { Backoff } from '../kind.ts'
import type { OwnWebhook } from '../webhooks/own.ts'
import type { Accepted } from './shapes.ts'

/** A job as it is about to be stored. Times in ms since the epoch. */
export type NewJob = {
  id: string
  tenant: string
  keyId: string | null
  capture: 'full' | 'metadata'
  kind: string
  state: 'waiting' | 'scheduled' | 'queued'
  priority: number
  tags: readonly string[]
  concurrencyKey: string | null
  concurrencyLimit: number
  createdAt: number
  runAt: number
  expiresAt: number | null
  attempts: number
  backoff: Backoff
  timeoutMs: number
  retryOf: string | null
  scheduleId: string | null
  webhookId: string | null
  /** Whose id that is, where it is made with the job. */
  ownWebhook: OwnWebhook | null
  input: { body: Buffer; bytes: number }
  /** To be found by. */
  words: string
  needs: readonly string[]
  dependencyPolicy: 'fail' | 'continue'
  idempotency: Idempotency | null
}

/** `sha256` in hex, of what was asked for. */
export type Idempotency = { key: string; sha256: string }

/** `secret`: with that of its webhook, where it was made. What is kept is without. */
export function acceptedOf(job: NewJob, { secret = false } = {}): Accepted {
  const time = (ms: number) => new Date(ms).toISOString()
  const own = job.ownWebhook
  return {
    ...{
      id: job.id,
      kind: job.kind,
      state: job.state,
      created_at: time(job.createdAt),
      run_at: time(job.runAt),
    },
    expires_at: job.expiresAt === null ? null : time(job.expiresAt),
    links: { self: `/api/jobs/${job.id}`, events: `/api/jobs/${job.id}/events` },
    ...(own === null ? {} : { webhook: { id: own.id, secret: secret ? own.made : null } }),
  }
}
