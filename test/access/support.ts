import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { type Access, type AccessOptions, openAccess } from '#access'
import { newId } from '#lib/ids'
import { openLog } from '#lib/log'
import { makeKey } from '../../src/access/key.ts'
import { insertKey, type KeyInsert } from '../../src/access/queries.ts'

export const adminKey = 'an-admin-key-of-the-tests'

export async function testAccess(sql: Sql, options: Partial<AccessOptions> = {}): Promise<Access> {
  return await openAccess({
    sql,
    adminKey,
    passThrough: true,
    defaultCapture: 'full',
    snapshotFile: join(await temporaryFolder(), 'access.json'),
    log: openLog('test', 'silent'),
    ...options,
  })
}

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'sluice-access-'))
}

/** A key straight in the database: the gateways learn of it as they would of another gateway's. */
export async function plantKey(
  sql: Sql,
  options: Partial<KeyInsert> = {},
): Promise<{ id: string; key: string }> {
  const { key, hash, prefix, last4 } = makeKey()
  const id = newId()
  await insertKey(sql, {
    ...{ id, tenant: 'default', hash, prefix, last4, name: 'planted', tags: [] },
    ...{ scopes: ['call'], capture: null, created_by: null, expires_at: null },
    ...options,
  })
  return { id, key }
}

export function bearer(key: string): Headers {
  return new Headers({ authorization: `Bearer ${key}` })
}

/** The code of the error that authenticating with these headers throws; 'ok' where it does not. */
export function verdict(access: Access, headers: Headers, query: URLSearchParams | null = null): string {
  try {
    access.authenticate(headers, query)
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
