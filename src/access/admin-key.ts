import type { Sql } from 'postgres'
import { makeKey } from './key.ts'
import { insertAdminKey } from './queries.ts'

/**
 * Makes the admin key unless there is one. The plain key is returned this once and kept nowhere: null ever after,
 * and for all but one of several processes that start together. Lost: set ADMIN_KEY, which takes its place.
 */
export async function ensureAdminKey(sql: Sql): Promise<string | null> {
  const { key, hash } = makeKey('admin-')
  return (await insertAdminKey(sql, hash)) ? key : null
}
