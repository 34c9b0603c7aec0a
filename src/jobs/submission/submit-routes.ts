import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import type { Audit, Authorise } from '#access'
import { InputError } from '#lib/errors'
import { parseKept, readBytes } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Registry } from '../registry.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { submitBatch } from './batch.ts'
import { keptHours } from './idempotency.ts'
import { itemsOf } from './items.ts'
import { mostBatchBytes, mostBytes, mostItems } from './limits.ts'
import { accepted, batchAnswer } from './shapes.ts'
import type { Submit } from './submit.ts'
import { batchSchema, submissionSchema } from './submit-docs.ts'

const tag = 'jobs'
/** What stands around an input. */
const aroundBytes = 64 * 1024

const description = `202 says that the job is stored in Postgres: no crash and no outage of the queue can lose it from then on. While Postgres is down the answer is 503 within a second.

With \`Idempotency-Key\` a request can be sent again without a second job: the same answer for at least ${keptHours} hours, 409 while the first is being answered, 422 where the key was used for another request. A 503 leaves open whether the job was stored: send it again with the same key.

Of an input all that it says is kept, and only its white space is not. An integer beyond 2^53 that a double cannot hold is refused with its path, rather than changed: send it as a string.`

const batchDescription = `A JSON array, or \`application/x-ndjson\` with a job a line, of at most ${mostItems} jobs and ${mostBatchBytes} bytes. Each has its own answer, in order; one that is refused takes with it only those that depend on it. \`ref\` names an item for \`depends_on\` of others.

\`Idempotency-Key\` stands for the whole batch: each item's key is this with its place, unless it has its own.`

export type SubmitRoutesOptions = {
  sql: Sql
  registry: Registry
  submit: Submit
  authorise: Authorise
  audit?: Audit
  receivers?: Receivers
}

export function submitRoutes(options: SubmitRoutesOptions) {
  const { sql, registry, submit, receivers, authorise, audit } = options
  return new Elysia()
    .post(
      '/api/jobs',
      async ({ request }) => await one(request),
      routeDoc({
        ...{ summary: 'Submit a job', description, scope: 'call', tag, status: 202 },
        ...{ body: submissionSchema(registry), answer: accepted },
      }),
    )
    .post(
      '/api/jobs/batch',
      async ({ request }) => await batch(request),
      routeDoc({
        ...{
          summary: 'Submit many jobs, and flows of jobs',
          description: batchDescription,
          scope: 'call',
          tag,
        },
        ...{ body: batchSchema(registry), answer: batchAnswer },
      }),
    )

  async function one(request: Request): Promise<Response> {
    const principal = authorise(request, 'call')
    const key = keyOf(request)
    const body = parseKept(await readBytes(request, mostBytes + aroundBytes))
    const { job, replayed } = await submit.submit(principal, body, key)
    const earlier = replayed ? null : retriedBy(body)
    if (earlier !== null) {
      const deed = { action: 'job.resubmit', subject: `job:${earlier}`, detail: { as: job.id } }
      await audit?.record(request, principal, deed)
    }
    const headers = { location: job.links.self, ...(replayed ? { 'idempotent-replayed': 'true' } : {}) }
    return Response.json(job, { status: 202, headers })
  }

  async function batch(request: Request): Promise<Response> {
    const principal = authorise(request, 'call')
    const idempotencyKey = keyOf(request)
    const bytes = await readBytes(request, mostBatchBytes)
    const items = itemsOf(bytes, request.headers.get('content-type'))
    return Response.json(
      await submitBatch(items, { sql, registry, submit, receivers, principal, idempotencyKey }),
    )
  }
}

/** The job that one which was taken is to do better. */
function retriedBy(body: unknown): string | null {
  const named = typeof body === 'object' && body !== null && 'retry_of' in body ? body.retry_of : null
  return typeof named === 'string' ? named : null
}

/** @throws InputError 400 `bad-header` */
function keyOf(request: Request): string | null {
  const key = request.headers.get('idempotency-key')
  if (key === null || /^[\x21-\x7e]{1,190}$/.test(key)) return key
  const detail = 'must be 1 to 190 printable characters without spaces'
  throw new InputError(400, 'bad-header', [{ pointer: 'idempotency-key', detail }])
}
