import type { Sql } from 'postgres'
import type { Principal } from '#access'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { snapshotFile } from '#lib/snapshot'
import type { Vault } from '#lib/vault'
import { follow, patiently } from '#store'
import { hashSecret } from './capability-url.ts'
import { openNameKeeper } from './name-keeper.ts'
import { readPortals, readServer, readSights, type SightOf, urlPrincipal, wholeSight } from './read-stored.ts'
import { sealOld } from './seal-old.ts'
import type { Server } from './server.ts'
import type { PortalSettings, Servers } from './servers.ts'
import { mcpRevision, readStored, type Stored, stored } from './stored.ts'

export type ServersOptions = {
  sql: Sql
  log: Logger
  vault: Vault
  /** Where rows are kept, secrets sealed, for a start without the database. */
  snapshotFile: string
  /** May a row name a command? */
  allowStdio: boolean
  defaultCapture?: Principal['capture']
  /** How long a start waits for the database. @default 3000 */
  patienceMs?: number
}

const nothing: Stored = { servers: [], portals: [], urls: [], visibility: [], names: [] }

export async function openServers(options: ServersOptions): Promise<Servers> {
  const { sql, log, patienceMs = 3_000 } = options
  const snapshot = snapshotFile(options.snapshotFile, stored, { what: 'MCP servers', log })
  const listeners = new Set<() => void>()
  const keeper = openNameKeeper(sql, log)
  let revision = -1
  let looked = false
  let rows = nothing
  let servers: readonly Server[] = []
  let portals: readonly (PortalSettings & { tenant: string })[] = []
  let sightOf: SightOf = () => wholeSight

  const saved = await snapshot.read()
  if (saved !== null) take(saved)
  const follower = follow({ sql, log, channel: 'sluice_mcp', what: 'MCP servers', update })
  await Promise.race([follower.refresh().catch(() => {}), Bun.sleep(patienceMs)])

  return {
    all: () => servers,
    find: (tenant, name) =>
      servers.find((one) => isSeenBy(one, tenant) && (one.id === name || one.name === name)) ?? null,
    portal: (tenant, name) =>
      portals.find((one) => one.tenant === tenant && one.name === name && one.enabled) ?? null,
    sight: (principal) => sightOf(principal),
    resolveSecret,
    anonymous,
    names: () => rows.names,
    keepNames: keeper.keep,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh: follower.refresh,
    async close() {
      await follower.stop()
      await keeper.close()
    },
  }

  async function update(fresh: boolean): Promise<void> {
    const doing = 'load MCP servers'
    const found = await patiently(mcpRevision(sql), { doing })
    if (found === revision && !fresh) return
    const all = await patiently(readStored(sql), { doing })
    revision = found
    if (fresh && JSON.stringify(all) === JSON.stringify(rows)) return
    take(all)
    await snapshot.write(all)
    await sealFirst(all.servers)
  }

  /** Once, with the first rows: what is written now is sealed. Its changes are read as any are. */
  async function sealFirst(found: Stored['servers']): Promise<void> {
    if (looked) return
    looked = true
    try {
      const count = await sealOld(sql, options.vault, found)
      if (count > 0) log.info({ count }, 'sealed MCP servers whose arguments were stored in clear')
    } catch (error) {
      looked = false
      log.warn({ reason: errorText(error) }, 'sealing MCP servers that were stored in clear failed')
    }
  }

  function take(all: Stored): void {
    rows = all
    servers = all.servers.flatMap((row) => readServer(row, options) ?? [])
    portals = readPortals(all, log)
    sightOf = readSights(all, log)
    for (const listener of [...listeners]) tell(listener)
  }

  function tell(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      log.error({ reason: errorText(error) }, 'taking over changed MCP servers failed')
    }
  }

  function resolveSecret(secret: string) {
    if (secret.length < 40 || secret.length > 100) return null
    const hash = hashSecret(secret)
    const row = rows.urls.find((one) => one.hash === hash)
    if (row === undefined || (row.expires_at !== null && row.expires_at <= Date.now())) return null
    return { principal: urlPrincipal(row, options.defaultCapture ?? 'full'), portal: row.portal }
  }

  function anonymous(name: string | null): Principal | null {
    const portal = portals.find((one) => one.name === name && one.enabled && one.anonymous_listing)
    if (portal === undefined) return null
    const capture = options.defaultCapture ?? 'full'
    return { tenant: portal.tenant, keyId: null, scopes: new Set(), capture, tags: [] }
  }
}

export function isSeenBy(server: Server, tenant: string): boolean {
  return server.tenant === null || server.tenant === tenant
}
