import type { Sql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { arrayOf } from '../arrays.ts'
import type { Idempotency, NewJob } from './new-job.ts'
import type { Accepted } from './shapes.ts'

/** A key is good for at least this long. */
export const keptHours = 24

/** Keys of requests that this gateway is answering. */
export type InFlight = {
  /**
   * Holds a key until it is let go.
   * @throws SluiceError 409 `request-in-flight`
   */
  hold(tenant: string, key: string): () => void
}

export function openInFlight(): InFlight {
  const held = new Set<string>()
  return {
    hold(tenant, key) {
      const name = `${tenant}\u0000${key}`
      if (held.has(name)) {
        throw new SluiceError(
          409,
          'request-in-flight',
          `Idempotency-Key ${key}: a request with it is being answered`,
          {
            headers: { 'retry-after': '1' },
          },
        )
      }
      held.add(name)
      return () => void held.delete(name)
    },
  }
}

type Kept = { tenant: string; key: string; sha256: string; answer: Accepted }

/**
 * What was answered to those who used these jobs' keys before, by the id of the job that is not to be.
 * An error where something else was asked for then.
 */
export async function earlierAnswers(
  sql: Sql,
  jobs: readonly (NewJob & { idempotency: Idempotency })[],
): Promise<Map<string, Accepted | SluiceError>> {
  const rows = await sql<Kept[]>`
    select tenant, key, encode(body_sha256, 'hex') as sha256, answer from job_idempotency
    where (tenant, key) in (select * from unnest(
      ${arrayOf(jobs.map(({ tenant }) => tenant))}::text[], ${arrayOf(jobs.map(({ idempotency }) => idempotency.key))}::text[]))`
  const kept = new Map(rows.map((row) => [`${row.tenant}\u0000${row.key}`, row]))
  return new Map(
    jobs.map((job) => [job.id, answerTo(job, kept.get(`${job.tenant}\u0000${job.idempotency.key}`))]),
  )
}

function answerTo(
  { idempotency }: { idempotency: Idempotency },
  kept: Kept | undefined,
): Accepted | SluiceError {
  if (kept?.sha256 === idempotency.sha256) return kept.answer
  const { key } = idempotency
  // Gone between the two looks: its time was over just now.
  if (kept === undefined)
    return new SluiceError(409, 'request-in-flight', `Idempotency-Key ${key}: try again`)
  return new SluiceError(
    422,
    'idempotency-key-reused',
    `Idempotency-Key ${key}: it was used for another request; take a new one for a new request`,
  )
}
