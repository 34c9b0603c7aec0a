import type { Sql } from 'postgres'
import { newId } from '#lib/ids'
import { makeKey } from './key.ts'
import type { Principal, Scope } from './principal.ts'
import { insertKey, revokeKey } from './queries.ts'

/** Keys with which a process of ours calls the gateway, each for one tenant, in nobody's hands. */
export type InternalKeys = {
  /**
   * The same one for that tenant, until it is about to expire.
   * @throws Error where there is no such tenant, or whatever the database throws
   */
  of(tenant: string): Promise<string>
  /** Revokes them. */
  close(): Promise<void>
}

const lifetimeMs = 24 * 3_600_000

export type InternalKeyOptions = {
  /** @default ['call'] */
  scopes?: readonly Scope[]
  /** @default 'metadata': what such a call has in it is taken from the record already */
  capture?: Principal['capture']
  /** Carried by every call. @default ['sluice-internal'] */
  tags?: readonly string[]
  /** May a call name the key that it is made for, in `sluice-acts-for`? @default false */
  actForOthers?: boolean
}

export function openInternalKeys(sql: Sql, name: string, options: InternalKeyOptions = {}): InternalKeys {
  const {
    scopes = ['call'],
    capture = 'metadata',
    tags = ['sluice-internal'],
    actForOthers = false,
  } = options
  const keys = new Map<string, { id: string; made: Promise<string>; expiresAt: number }>()

  function of(tenant: string): Promise<string> {
    const known = keys.get(tenant)
    if (known !== undefined && known.expiresAt - Date.now() > lifetimeMs / 10) return known.made
    const { key, hash, prefix, last4 } = makeKey()
    const id = newId()
    const expiresAt = Date.now() + lifetimeMs
    const made = insertKey(sql, {
      ...{ id, tenant, hash, prefix, last4, name, scopes: [...scopes], capture, tags: [...tags] },
      acts_for_others: actForOthers,
      ...{ created_by: null, expires_at: new Date(expiresAt).toISOString() },
    }).then((row) => {
      if (row === null) throw new Error(`making a key for tenant ${tenant}: there is no such tenant`)
      return key
    })
    made.catch(() => keys.delete(tenant))
    keys.set(tenant, { id, made, expiresAt })
    return made
  }

  return {
    of,
    async close() {
      for (const [tenant, { id }] of keys) await revokeKey(sql, { tenant, scopes: [...scopes] }, id)
      keys.clear()
    },
  }
}
