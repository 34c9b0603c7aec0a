import type { Sql, TransactionSql } from 'postgres'
import { arrayOf } from '../arrays.ts'
import { acceptedOf, type NewJob } from './new-job.ts'

type Value = string | number | null

/** Each column of `given`: its type, and what a job has there. Arrays travel as their own text. */
const columns: Record<string, [type: string, value: (job: NewJob) => Value]> = {
  id: ['uuid', ({ id }) => id],
  tenant: ['text', ({ tenant }) => tenant],
  key_id: ['text', ({ keyId }) => keyId],
  capture: ['text', ({ capture }) => capture],
  kind: ['text', ({ kind }) => kind],
  state: ['text', ({ state }) => state],
  priority: ['int2', ({ priority }) => priority],
  tags: ['text', ({ tags }) => arrayOf(tags)],
  concurrency_key: ['text', ({ concurrencyKey }) => concurrencyKey],
  concurrency_limit: ['int4', ({ concurrencyLimit }) => concurrencyLimit],
  created_at: ['float8', ({ createdAt }) => createdAt],
  run_at: ['float8', ({ runAt }) => runAt],
  expires_at: ['float8', ({ expiresAt }) => expiresAt],
  attempts: ['int4', ({ attempts }) => attempts],
  backoff: ['text', ({ backoff }) => JSON.stringify(backoff)],
  timeout_ms: ['int4', ({ timeoutMs }) => timeoutMs],
  retry_of: ['uuid', ({ retryOf }) => retryOf],
  schedule_id: ['uuid', ({ scheduleId }) => scheduleId],
  webhook_id: ['uuid', ({ webhookId }) => webhookId],
  own_url: ['text', ({ ownWebhook }) => ownWebhook?.url ?? null],
  own_secret: ['text', ({ ownWebhook }) => ownWebhook?.sealed ?? null],
  own_events: ['text', ({ ownWebhook }) => (ownWebhook === null ? null : arrayOf(ownWebhook.events))],
  input_bytes: ['int4', ({ input }) => input.bytes],
  body: ['text', ({ input }) => input.body.toString('base64')],
  words: ['text', ({ words }) => words],
  needs: ['text', ({ needs }) => arrayOf(needs)],
  dependency_policy: ['text', ({ dependencyPolicy }) => dependencyPolicy],
  idem_key: ['text', ({ idempotency }) => idempotency?.key ?? null],
  idem_sha: ['text', ({ idempotency }) => idempotency?.sha256 ?? null],
  answer: ['text', (job) => (job.idempotency === null ? null : JSON.stringify(acceptedOf(job)))],
}

const names = Object.keys(columns)
const parameters = Object.values(columns).map(([type], index) => `$${index + 1}::${type}[]`)

/**
 * All in one statement, so that it costs one round trip and is committed or not as a whole. A job whose idempotency
 * key is taken is left out, and with it all its parts.
 */
const statement = `
with given as (select * from unnest(${parameters.join(', ')}) as g (${names.join(', ')})),
keyed as (
  insert into job_idempotency (tenant, key, body_sha256, job_id, answer)
  select tenant, idem_key, decode(idem_sha, 'hex'), id, answer::json from given where idem_key is not null
  order by tenant, idem_key
  on conflict (tenant, key) do nothing returning job_id
),
fresh as (select * from given where idem_key is null or id in (select job_id from keyed)),
made as (
  insert into jobs (id, tenant, key_id, capture, kind, state, priority, tags, concurrency_key, concurrency_limit,
    created_at, run_at, expires_at, attempts, backoff, timeout_ms, retry_of, schedule_id, webhook_id, input_bytes,
    pending,
    dependency_policy)
  select id, tenant, key_id, capture, kind, state, priority, tags::text[], concurrency_key, concurrency_limit,
    to_timestamp(created_at / 1000), to_timestamp(run_at / 1000), to_timestamp(expires_at / 1000), attempts,
    backoff::jsonb, timeout_ms, retry_of, schedule_id, webhook_id, input_bytes, cardinality(needs::uuid[]), dependency_policy
  from fresh
),
bodies as (insert into job_bodies (job_id, part, body) select id, 'input', decode(body, 'base64') from fresh),
found as (insert into job_words (job_id, words) select id, to_tsvector('simple', words) from fresh where words <> ''),
own as (
  insert into job_webhooks (id, tenant, key_id, name, url, secret, events, on_request, job_id)
  select webhook_id, tenant, key_id, 'of ' || id, own_url, own_secret, own_events::text[], true, id from fresh
  where own_url is not null
),
needed as (
  insert into job_dependencies (job_id, needs) select id, unnest(needs::uuid[]) from fresh where needs <> '{}'
)
select id from fresh`

/** Stores them all, or none. @returns the ids of those whose idempotency key was not taken */
export async function insertJobs(sql: Sql | TransactionSql, jobs: readonly NewJob[]): Promise<Set<string>> {
  const values = Object.values(columns).map(([, value]) => arrayOf(jobs.map(value)))
  const rows = await sql.unsafe<{ id: string }[]>(statement, values, { prepare: true })
  return new Set(rows.map(({ id }) => id))
}
