import { join } from 'node:path'
import type { Sql } from 'postgres'
import type { Authorise, Principal, Tool } from '#access'
import type { Reading, Spool } from '#capture'
import type { Logger } from '#lib/log'
import { releaser } from '#lib/release'
import type { UpgradeServer } from '#lib/server-socket'
import type { Vault } from '#lib/vault'
import type { Ways } from './edge/identify.ts'
import { type McpEdge, openEdge } from './edge/open-edge.ts'
import { refusalOf, refusalResponse } from './edge/refusal.ts'
import { holdsSecret, mayHoldSecret } from './own/sensitive.ts'
import { type OpenPortal, openPortal } from './portal/open-portal.ts'
import { openMcpRecord } from './record/open-record.ts'
import { type ObservedHop, openRecorder } from './record/open-recorder.ts'
import { openServers } from './servers/open-servers.ts'
import type { Servers } from './servers/servers.ts'
import { openSessions } from './session/sessions.ts'
import { sessionTokens } from './session/token.ts'
import { openSpy } from './spy/open-spy.ts'
import { spiedSocket } from './spy/spied-socket.ts'
import { openUpstreams } from './upstream/open-upstreams.ts'
import type { Upstreams } from './upstream/upstream.ts'

export type McpOptions = {
  sql: Sql
  spool: Spool
  reading: Reading
  vault: Vault
  /** That the vault's key is derived from; those of sessions are, too. */
  secret: string
  authorise: Authorise
  log: Logger
  version: string
  /** Of other domains; the portal's are added. */
  ownTools: readonly Tool[]
  /** Where files of MCP are kept. */
  folder: string
  /** The address that the gateway is bound to, and what else guards its door. */
  guard: { host: string; hosts: readonly string[]; origins: readonly string[] }
  bodyMaxBytes: number
  /** Streams and sockets that a key may have open. @default 2_000 */
  streamsPerKey?: number
  allowStdio: boolean
  allowPrivate: boolean
  /** Of our environment, what processes of servers get. */
  inherited: Readonly<Record<string, string>>
  defaultCapture: Principal['capture']
  observe?: (hop: ObservedHop) => void
}

export type Mcp = {
  edge: McpEdge
  /** MCP over WebSocket; with `?spy=<server>` between a client and that server, untouched and recorded. Never rejects. */
  socket(request: Request, server: UpgradeServer | null): Promise<Response>
  portal: OpenPortal
  servers: Servers
  upstreams: Upstreams
  /** Ends streams and calls, sessions in memory, and every process of every server. */
  close(): Promise<void>
}

/** Opens the portal, with all that is behind and before it. Starts with what it has, be the database down. */
export async function openMcp(options: McpOptions): Promise<Mcp> {
  const { sql, spool, reading, vault, log, version, allowStdio, allowPrivate, folder } = options
  const held = releaser()
  const { observe } = options
  const recorder = openRecorder({ spool, ...(observe === undefined ? {} : { observe }) })
  const record = openMcpRecord({ spool, reading, recorder })
  const servers = await openServers({
    ...{ sql, log, vault, allowStdio, defaultCapture: options.defaultCapture },
    snapshotFile: join(folder, 'servers.json'),
  })
  held.add('MCP servers', servers.close)
  const upstreams = openUpstreams({
    ...{ recorder, log, folder, allowPrivate, inherited: options.inherited },
    clientInfo: JSON.stringify({ name: 'sluice', version }),
  })
  held.add('MCP connections', upstreams.close)
  const portal = await openPortal({
    ...{ sql, servers, upstreams, log, version, ownTools: options.ownTools },
    catalogueFile: join(folder, 'catalogue.json'),
    storeOverflow: record.storeOverflow,
    readOverflow: record.readOverflow,
  })
  held.add('MCP portal', portal.close)
  const ways: Ways = {
    authorise: options.authorise,
    resolveSecret: servers.resolveSecret,
    hasPortal: (tenant, name) => servers.portal(tenant, name) !== null,
    anonymous: servers.anonymous,
  }
  const edge = openEdge({
    ...{ portal, recorder, log, guard: options.guard, bodyMaxBytes: options.bodyMaxBytes },
    sessions: openSessions({ sql, log, vault, tokens: sessionTokens(options.secret) }),
    eventsAfter: record.eventsAfter,
    isSecret: (method, params) => holdsSecret(method, params, portal.sensitive),
    mayBeSecret: (text) => mayHoldSecret(text, portal.sensitive),
    ways,
    ...(options.streamsPerKey === undefined ? {} : { streamsPerKey: options.streamsPerKey }),
  })
  held.add('MCP edge', edge.close)
  const spy = openSpy({ recorder, allowPrivate })
  held.add('MCP spy', spy.close)
  return { edge, socket, portal, servers, upstreams, close: held.releaseAll }

  async function socket(request: Request, server: UpgradeServer | null): Promise<Response> {
    const name = new URL(request.url).searchParams.get('spy')
    if (name === null) return edge.socket(request, server)
    try {
      edge.guard(request)
      const { authorise } = options
      return await spiedSocket(request, { name, server, spy, servers, authorise, ...edge })
    } catch (error) {
      return refusalResponse(refusalOf(error, log))
    }
  }
}
