import { hash } from 'node:crypto'
import { may, type Principal, type Scope, scopes } from '#access'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'
import { noSecrets, openSecrets } from './secrets.ts'
import { both, concerning, everything, selector } from './selector.ts'
import { ownServerName, type Server, type Transport, transports } from './server.ts'
import type { PortalSettings, Sight } from './servers.ts'
import { portalSpec, serverSpec, visibilitySpec } from './settings.ts'
import type { Stored } from './stored.ts'

type Reading = { vault: Vault; log: Logger; allowStdio: boolean }

/** Null where it cannot be understood: a row that a newer version wrote must not take the others with it. */
export function readServer(
  row: Stored['servers'][number],
  { vault, log, allowStdio }: Reading,
): Server | null {
  const spec = serverSpec.safeParse(row.spec)
  if (!spec.success || !isTransport(row.transport)) {
    const reason = spec.success ? `transport ${row.transport}` : errorText(spec.error, 300)
    log.error({ server: row.name, reason }, 'an MCP server cannot be read and is left out')
    return null
  }
  let secrets = noSecrets
  let problem: string | null = null
  try {
    secrets = openSecrets(vault, row.id, row.sealed)
  } catch {
    problem = 'its stored credentials do not open: this gateway has another SECRET_KEY'
    log.error({ server: row.name }, `an MCP server is out of use: ${problem}`)
  }
  if (row.transport === 'stdio' && !allowStdio)
    problem = 'commands are not started on this gateway: the operator may allow that with MCP_STDIO'
  const { tools, timeout_ms, max_result_bytes, idle_stop_ms, namespace, spy, command, cwd } = spec.data
  const url = secrets.url ?? spec.data.url
  const args = secrets.args ?? spec.data.args
  const connection = {
    ...{ command, args, cwd, url, env: secrets.env, headers: secrets.headers },
    ...{ transport: row.transport, idle_stop_ms },
  }
  return {
    ...{ id: row.id, tenant: row.tenant, name: row.name, enabled: row.enabled, problem },
    ...{ tools, timeout_ms, max_result_bytes, namespace, spy },
    ...connection,
    fingerprint: hash('sha256', JSON.stringify(connection), 'base64url').slice(0, 22),
  }
}

export function readPortals(all: Stored, log: Logger): (PortalSettings & { tenant: string })[] {
  return all.portals.flatMap((row) => {
    const spec = portalSpec.safeParse(row.spec)
    if (!spec.success) {
      log.error({ portal: row.name, reason: errorText(spec.error, 300) }, 'an MCP portal cannot be read')
      return []
    }
    const servers = spec.data.servers === null ? null : new Set(spec.data.servers)
    const tools = selector(spec.data.tools)
    const selects = (server: string, name: string) =>
      (servers === null || servers.has(server)) && tools(server, name)
    return [{ ...spec.data, name: row.name, tenant: row.tenant, selects }]
  })
}

/** Of everything that the tenant has. */
export const wholeSight: Sight = { key: '', sees: everything, concerns: () => true, mayCall: everything }

export type SightOf = (principal: Principal) => Sight

/** A key sees what both its tenant's rule and its own allow; who has the scope `admin` sees all of the tenant. */
export function readSights(all: Stored, log: Logger): SightOf {
  const sights = new Map<string, Sight>()
  for (const row of all.visibility) {
    const spec = visibilitySpec.safeParse(row.spec)
    if (!spec.success)
      log.error({ tenant: row.tenant, reason: errorText(spec.error, 300) }, 'who sees what: not readable')
    // What cannot be understood may be a prohibition: nothing is seen then.
    const none = { allow: [], deny: [] }
    const { see, call } = spec.success ? spec.data : { see: none, call: none }
    const key = `${row.tenant}/${row.key_id ?? ''}`
    const mayCall = both(selector(see), selector(call))
    sights.set(key, { key, sees: selector(see), concerns: concerning(see), mayCall })
  }
  return (principal) => {
    if (may(principal, 'admin')) return wholeSight
    const tenants = sights.get(`${principal.tenant}/`) ?? wholeSight
    const own = principal.keyId === null ? undefined : sights.get(`${principal.tenant}/${principal.keyId}`)
    if (own === undefined) return tenants
    return {
      key: `${tenants.key} ${own.key}`,
      sees: both(tenants.sees, own.sees),
      concerns: (server) => tenants.concerns(server) && own.concerns(server),
      mayCall: both(tenants.mayCall, own.mayCall),
    }
  }
}

export function urlPrincipal(row: Stored['urls'][number], capture: Principal['capture']): Principal {
  return {
    tenant: row.tenant,
    keyId: null,
    scopes: new Set(row.scopes.filter((one): one is Scope => (scopes as readonly string[]).includes(one))),
    capture: row.capture ?? capture,
    tags: row.tags,
  }
}

export function isOwn(name: string): boolean {
  return name.toLowerCase() === ownServerName
}

function isTransport(word: string): word is Transport {
  return (transports as readonly string[]).includes(word)
}
