import type { Sql } from 'postgres'
import { InputError } from '#lib/errors'
import { isId } from '#lib/ids'
import { knownWebhooks } from '../webhooks/queries.ts'

/**
 * Are these all jobs of the tenant?
 * @throws InputError 422 `unknown-dependency`, also for those of others
 */
export async function checkNeeds(sql: Sql, tenant: string, needs: readonly string[]): Promise<void> {
  const ids = needs.filter(isId)
  const known = await knownJobs(sql, tenant, ids)
  const errors = needs.flatMap((id, index) =>
    known.has(id) ? [] : [{ pointer: `/depends_on/${index}`, detail: 'there is no such job' }],
  )
  if (errors.length > 0) throw new InputError(422, 'unknown-dependency', errors)
}

export async function knownJobs(sql: Sql, tenant: string, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<{ id: string }[]>`
    select id from jobs where id = any(${[...ids]}::uuid[]) and tenant = ${tenant}`
  return new Set(rows.map(({ id }) => id))
}

/** `inside`: where the job is in the body. @throws InputError 422 `unknown-webhook`, also for that of another tenant */
export async function checkWebhook(sql: Sql, tenant: string, id: string, inside = ''): Promise<void> {
  if ((await knownWebhooks(sql, tenant, [id])).has(id)) return
  throw unknownWebhook(inside)
}

export function unknownWebhook(inside = ''): InputError {
  return new InputError(422, 'unknown-webhook', [
    { pointer: `${inside}/webhook`, detail: 'there is no such webhook' },
  ])
}
