import { z } from 'zod'
import { hashKey } from './key.ts'
import { type Principal, type Scope, scopes } from './principal.ts'

/** A key as gateways hold it: nothing that lets one make requests with it. Times in ms since the epoch. */
export const keyRecord = z.object({
  id: z.uuid(),
  tenant: z.string(),
  /** sha256, base64 */
  hash: z.string(),
  scopes: z.array(z.string()),
  capture: z.enum(['full', 'metadata']).nullable(),
  tags: z.array(z.string()),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  /** May its calls name another key of the tenant that they are for? */
  acts_for_others: z.boolean().default(false),
})
export type KeyRecord = z.infer<typeof keyRecord>

/** A session that somebody left; `until`, in ms since the epoch, it could have gone on. */
const endedSession = z.object({ id: z.string(), until: z.number() })

/** The state of all keys at a revision. */
export const keySet = z.object({
  revision: z.int().nonnegative(),
  admin_hash: z.string().nullable(),
  keys: z.array(keyRecord),
  /** Absent in a file of a release before it. */
  ended: z.array(endedSession).default([]),
})
export type KeySet = z.infer<typeof keySet>
export type EndedSession = z.infer<typeof endedSession>

export type Entry = {
  principal: Principal
  /** Null for the admin key. */
  record: KeyRecord | null
  /** ms since the epoch; 0 where not used since this process started. */
  usedAt: number
}

/** The keys in memory, by hash: the only thing that a request asks. */
export type Directory = {
  find(hash: string): Entry | undefined
  has(id: string): boolean
  /** Did somebody leave that session? */
  hasEnded(session: string): boolean
  /** Here at once, whatever the database says. */
  endSession(ended: EndedSession): void
  /** A key by its id, whatever became of it. */
  byId(id: string): Entry | undefined
  /** By the key's id, or `admin`. */
  holder(subject: string): { entry: Entry; hash: string } | undefined
  /** Takes what is newer than `revision`. */
  merge(change: KeySet): void
  /** Takes a whole set, which need not be a continuation of the one held: what is not in it is forgotten. */
  replace(set: KeySet): void
  /** -1 until anything was loaded. */
  revision(): number
  size(): number
  entries(): Iterable<Entry>
  export(): KeySet
}

export function openDirectory(options: {
  adminKey?: string
  defaultCapture: Principal['capture']
}): Directory {
  const byHash = new Map<string, Entry>()
  const byId = new Map<string, Entry>()
  const ended = new Map<string, number>()
  let revision = -1
  let adminHash: string | null = null

  const fixedAdmin = options.adminKey === undefined ? undefined : adminEntry()
  const fixedAdminHash = options.adminKey === undefined ? undefined : hashKey(options.adminKey)
  let admin = fixedAdmin

  return {
    find: (hash) => (isAdmin(hash) ? admin : byHash.get(hash)),
    has: (id) => byId.has(id),
    hasEnded: (session) => ended.has(session),
    endSession: ({ id, until }) => void ended.set(id, until),
    byId: (id) => byId.get(id),
    holder,
    merge,
    replace(set) {
      const known = new Set(set.keys.map(({ id }) => id))
      for (const id of byId.keys()) if (!known.has(id)) remove(id)
      merge(set)
    },
    revision: () => revision,
    size: () => byId.size,
    entries: () => byId.values(),
    export: () => ({
      revision: Math.max(revision, 0),
      admin_hash: adminHash,
      keys: [...byId.values()].flatMap(({ record }) => record ?? []),
      ended: [...ended].map(([id, until]) => ({ id, until })),
    }),
  }

  function merge(change: KeySet): void {
    for (const record of change.keys) put(record)
    for (const { id, until } of change.ended) ended.set(id, until)
    for (const [id, until] of ended) if (until < Date.now()) ended.delete(id)
    if (fixedAdmin === undefined && change.admin_hash !== adminHash) admin = adminEntry()
    adminHash = change.admin_hash
    revision = change.revision
  }

  function put(record: KeyRecord): void {
    const before = remove(record.id)
    const entry = { principal: principalOf(record), record, usedAt: before?.usedAt ?? 0 }
    byHash.set(record.hash, entry)
    byId.set(record.id, entry)
  }

  function remove(id: string): Entry | undefined {
    const entry = byId.get(id)
    if (entry?.record) byHash.delete(entry.record.hash)
    byId.delete(id)
    return entry
  }

  function holder(subject: string) {
    const hash = subject === 'admin' ? (fixedAdminHash ?? adminHash) : byId.get(subject)?.record?.hash
    const entry = hash == null ? undefined : subject === 'admin' ? admin : byHash.get(hash)
    return hash == null || entry === undefined ? undefined : { entry, hash }
  }

  /** Where the operator set ADMIN_KEY, the stored one is out of use. */
  function isAdmin(hash: string): boolean {
    return hash === (fixedAdminHash ?? adminHash)
  }

  function principalOf(record: KeyRecord): Principal {
    return {
      tenant: record.tenant,
      keyId: record.id,
      scopes: new Set(record.scopes.filter(isScope)),
      capture: record.capture ?? options.defaultCapture,
      tags: record.tags,
    }
  }

  function adminEntry(): Entry {
    const principal: Principal = {
      tenant: 'default',
      keyId: null,
      scopes: new Set(scopes),
      capture: options.defaultCapture,
      tags: [],
    }
    return { principal, record: null, usedAt: 0 }
  }
}

/** A scope of a newer release, in a table shared with it, grants nothing here. */
function isScope(word: string): word is Scope {
  return (scopes as readonly string[]).includes(word)
}
