import type { Sql } from 'postgres'
import { InputError } from '#lib/errors'
import { isId } from '#lib/ids'
import type { RuleScope } from './budget.ts'

/**
 * The tenant that a budget or a limit belongs to, and so who may see it; null: admins.
 * @throws InputError 422 where the subject does not fit the scope, or there is no such key or tenant
 */
export async function ownerOf(
  sql: Sql,
  { scope, subject }: { scope: RuleScope; subject: string | null },
): Promise<string | null> {
  if ((scope === 'global') !== (subject === null)) {
    throw wrong(scope === 'global' ? 'must be null for global' : `must name the ${scope}`)
  }
  if (scope === 'route' || subject === null) return null
  if (scope === 'key' && !isId(subject)) throw wrong('must be the id of a key')
  const [row] =
    scope === 'key'
      ? await sql<{ tenant: string }[]>`select tenant from access_keys where id = ${subject}`
      : await sql<{ tenant: string }[]>`select id as tenant from tenants where id = ${subject}`
  if (row === undefined) throw wrong(`there is no such ${scope}`)
  return row.tenant
}

function wrong(detail: string): InputError {
  return new InputError(422, 'bad-body', [{ pointer: '/subject', detail }])
}
