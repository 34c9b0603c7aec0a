import type { Sql } from 'postgres'
import type { Tool } from '#access'
import { errorText, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { openOwn } from '../own/own.ts'
import type { Overflow } from '../record/overflow.ts'
import type { Reports } from '../servers/report.ts'
import type { Server } from '../servers/server.ts'
import type { Servers } from '../servers/servers.ts'
import { mcpTools } from '../tools.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { codes, rpcError } from '../wire/codes.ts'
import type { Answer } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'
import { type Audience, openAudiences } from './audience.ts'
import { callTool } from './call-tool.ts'
import { openChanges } from './changes.ts'
import { answerFor } from './era.ts'
import { answerOf, invalid, PortalError } from './errors.ts'
import { findResource } from './find-resource.ts'
import { findingListings } from './finding.ts'
import { callToolName } from './finding-names.ts'
import { isLevel } from './forward.ts'
import { headerParams } from './header-params.ts'
import { listAnswer, listMethods, settled } from './list-answer.ts'
import { offerOf } from './offer.ts'
import { complete, getPrompt, readResource } from './other-calls.ts'
import { type OverflowStore, overflowScheme } from './overflow.ts'
import type { ClientCall, Portal } from './portal.ts'
import { reportsOf } from './reports.ts'
import { renamedUpdate } from './resource-update.ts'
import { openSources } from './sources.ts'
import { openSubscriptions } from './subscriptions.ts'

export type PortalOptions = {
  sql: Sql
  servers: Servers
  /** Connections, shared by all clients of a server. */
  upstreams: { get(server: Server): Upstream }
  /** Sluice's own beside the portal's, under exactly these names. */
  ownTools: readonly Tool[]
  /** Where it is kept what servers offer, for a start while they are down. */
  catalogueFile: string
  log: Logger
  version: string
  /** How often servers are asked that do not tell of changes, ms. @default 300_000 */
  pollMs?: number
  /** Absent: a call whose result is too large fails. */
  storeOverflow?: OverflowStore
  readOverflow?: Overflow['read']
}

export type OpenPortal = Portal & {
  reports: Reports
  /** Own tools whose arguments hold a secret. */
  sensitive: ReadonlySet<string>
}

/** Many servers behind one door: finds the server that a request is meant for, and asks it in its own words. */
export async function openPortal(options: PortalOptions): Promise<OpenPortal> {
  const { sql, servers, log, version } = options
  const tools = [...options.ownTools, ...mcpTools({ sql, servers, reports: () => reports })]
  const own = openOwn(tools, (tool, error) =>
    log.error({ tool, reason: errorText(error) }, 'one of its own MCP tools failed'),
  )
  const audiences = openAudiences({
    ...{ servers, sources: () => sources.all() },
    own: [...own.list, ...findingListings()],
  })
  const changes = openChanges({ audienceOf: audiences.of, log })
  const subscriptions = openSubscriptions({ current: (id) => sources.get(id) })
  const sources = await openSources({
    ...{ servers, upstreams: options.upstreams, catalogueFile: options.catalogueFile, log },
    ...{ pollMs: options.pollMs, onChange: changed },
    onResource: (source, uri, params) =>
      changes.resource((client, uris) =>
        renamedUpdate(audiences.of(client), client, { source, uri, params, uris }),
      ),
  })
  const reports = reportsOf(sources, servers)

  return {
    ...{ reports, sensitive: own.sensitive },
    async request(call) {
      try {
        return await answer(call, audiences.of(call.client))
      } catch (error) {
        return refusal(error, call)
      }
    },
    // Servers are shared: what one client says of itself, as of its roots, is no business of the others'.
    notify: () => {},
    listen(client, interest, tell) {
      const audience = audiences.of(client)
      const wanted = interest.resourceUris.flatMap((uri) => orNone(() => findResource(client, audience, uri)))
      const release = subscriptions.hold(client.session, wanted)
      const stop = changes.listen(client, interest, tell)
      return () => {
        stop()
        release()
      }
    },
    offer: (client) => offerOf(audiences.of(client), version),
    headerParams: (client, tool) => headerParams(audiences.of(client).tools.get(tool)?.json ?? '{}'),
    async close() {
      changes.close()
      await sources.close()
    },
  }

  function changed(): void {
    audiences.forget()
    changes.look()
    subscriptions.renew()
  }

  async function answer(call: ClientCall, audience: Audience): Promise<Answer> {
    const { client, method, params, signal } = call
    // Of a gateway that has only just started, nobody shall think that there is nothing.
    const isSettled = isKnown(audience, call)
    if (!isSettled) await settled(audience.sources, signal)
    const current = isSettled ? audience : audiences.of(client)
    if (Object.hasOwn(listMethods, method)) return listAnswer(current, call)
    const { storeOverflow: overflow } = options
    switch (method) {
      case 'tools/call':
        return await callTool(call, current, { own, storedNames: servers.names, overflow })
      case 'prompts/get':
        return await getPrompt(call, current, { storedNames: servers.names(), overflow })
      case 'resources/read':
        return (await readOverflow(call, current)) ?? (await readResource(call, current, { overflow }))
      case 'completion/complete':
        return await complete(call, current)
      case 'resources/subscribe':
      case 'resources/unsubscribe': {
        const found = findResource(client, current, stringOf(params, 'uri') ?? '')
        const verb = method === 'resources/subscribe' ? 'subscribe' : 'unsubscribe'
        return answerFor(client.era, method, await subscriptions[verb](client.session ?? '', found))
      }
      case 'logging/setLevel':
        if (!isLevel(stringOf(params, 'level'))) throw invalid('logging/setLevel: params.level is none')
        return { result: '{}' }
      case 'ping':
        return { result: '{}' }
      default:
        return { error: rpcError(codes.methodNotFound, `Method not found: ${method.slice(0, 100)}`) }
    }
  }

  async function readOverflow(
    { client, method, params }: ClientCall,
    { sight }: Audience,
  ): Promise<Answer | null> {
    const uri = stringOf(params, 'uri')
    if (uri?.startsWith(overflowScheme) !== true || options.readOverflow === undefined) return null
    const found = await options.readOverflow(client.principal, uri)
    // What it is of may have been taken from this key since.
    if (found === null || !sight.mayCall(found.server, found.name)) return null
    const { text, mimeType } = found
    return answerFor(client.era, method, { result: JSON.stringify({ contents: [{ uri, mimeType, text }] }) })
  }

  function refusal(error: unknown, { method }: ClientCall): Answer {
    if (error instanceof PortalError) return answerOf(error)
    const known = error instanceof SluiceError
    if (!known) log.error({ method, reason: errorText(error) }, 'an MCP request failed in the portal')
    const reason = known ? errorText(error) : 'The portal failed to answer; its log has the reason'
    return { error: rpcError(codes.internalError, reason) }
  }
}

/** Need nothing more be found out before it can be answered? */
function isKnown({ tools, prompts, resources }: Audience, { method, params }: ClientCall): boolean {
  if (Object.hasOwn(listMethods, method)) return false
  const name = stringOf(params, method.startsWith('resources/') ? 'uri' : 'name') ?? ''
  if (method === 'tools/call') return tools.has(name) && name !== callToolName
  return !/^(prompts|resources|completion)\//.test(method) || prompts.has(name) || resources.has(name)
}

function orNone<Found>(find: () => Found): Found[] {
  try {
    return [find()]
  } catch (error) {
    if (error instanceof PortalError) return []
    throw error
  }
}
