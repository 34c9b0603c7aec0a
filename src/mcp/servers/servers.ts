import type { Principal } from '#access'
import type { Selector } from './selector.ts'
import type { Server } from './server.ts'
import type { PortalSpec } from './settings.ts'

/** Servers, selections, secret paths and who may see what: in memory, and in step with the database. */
export type Servers = {
  /** By age: who came first keeps a name that two want. */
  all(): readonly Server[]
  /** By its id, or by its name as that tenant sees it. */
  find(tenant: string, name: string): Server | null
  /** Null where there is none of that name, or it is switched off. */
  portal(tenant: string, name: string): PortalSettings | null
  sight(principal: Principal): Sight
  /** Whom a secret path stands for; null where there is none, or it was revoked or has expired. */
  resolveSecret(secret: string): { principal: Principal; portal: string | null } | null
  /** Who may list without a credential there, and nothing else; null: nobody. */
  anonymous(portal: string | null): Principal | null
  /** What names meant that were shortened or changed. */
  names(): readonly StoredName[]
  /** Stores such names, sometime: what is lost is made again, the same. */
  keepNames(names: readonly StoredName[]): void
  /** After each change, until the function returned is called. */
  onChange(listener: () => void): () => void
  /** Resolves when what was committed before is in force here. Rejects while the database is down. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export type PortalSettings = PortalSpec & { name: string; selects: Selector }

/** What a principal may see and call. */
export type Sight = {
  /** The same for principals that see and call the same. */
  key: string
  sees: Selector
  /** Could it see anything of that server? Otherwise nothing is told of it, not that it is there. */
  concerns(server: string): boolean
  mayCall: Selector
}

export type StoredName = { server_id: string; kind: 'tool' | 'prompt'; exposed: string; name: string }
