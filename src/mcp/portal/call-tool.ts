import { may } from '#access'
import { type OwnServer, openOwn } from '../own/own.ts'
import { identityOf } from '../record/identity.ts'
import { ownServerName } from '../servers/server.ts'
import type { StoredName } from '../servers/servers.ts'
import type { Answer } from '../wire/message.ts'
import { memberOf, stringOf, withMember } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { answerFor } from './era.ts'
import { invalid, PortalError, portalCodes } from './errors.ts'
import { findingTools, readTarget } from './finding.ts'
import { callToolName, searchToolsName } from './finding-names.ts'
import { formerly } from './former-name.ts'
import { forwardFitting } from './forward.ts'
import { fitting, type OverflowStore } from './overflow.ts'
import type { ClientCall } from './portal.ts'
import type { Entry } from './view.ts'

export type CallToolOptions = {
  own: OwnServer
  storedNames(): readonly StoredName[]
  overflow: OverflowStore | undefined
}

/** Of a result of its own. */
const ownLimit = 4 * 1024 * 1024

/** @throws PortalError for a tool that is not there, not to be seen, or not to be called */
export async function callTool(
  call: ClientCall,
  audience: Audience,
  options: CallToolOptions,
): Promise<Answer> {
  const name = stringOf(call.params, 'name')
  if (name === null) throw invalid('tools/call: params.name must be a string')
  const entry = audience.tools.get(name) ?? formerly('tool', name, audience, options.storedNames())
  if (entry === null) throw invalid(`Unknown tool: ${name.slice(0, 200)}`)
  if (entry.off) throw invalid(`The tool ${name.slice(0, 200)} is switched off`)
  mayCall(call, audience, entry)
  if (name === callToolName) return await callTool(readTarget(call), audience, options)
  const { overflow } = options
  const { source } = entry
  if (source === null) {
    const answer = await callOwn(call, audience, name, options)
    const fit = await fitting(answer, overflow, {
      ...{ limit: ownLimit, server: ownServerName, name, call, of: ownResult(call, name, options) },
    })
    return answerFor(call.client.era, 'tools/call', fit)
  }
  const { tools, timeout_ms, max_result_bytes: maxBytes } = source.server
  return await forwardFitting(call, source, {
    ...{ name: entry.name, store: overflow, maxBytes },
    params: entry.name === name ? call.params : withMember(call.params, 'name', JSON.stringify(entry.name)),
    timeoutMs: tools[entry.name]?.timeout_ms ?? timeout_ms,
  })
}

function ownResult({ client, exchange: parent, params }: ClientCall, name: string, { own }: CallToolOptions) {
  const mode = own.sensitive.has(name) ? ('metadata' as const) : client.principal.capture
  return { parent, mode, toolUse: identityOf(memberOf(params, '_meta'), []).toolUse, params }
}

function mayCall(
  { client: { principal } }: ClientCall,
  { sight }: Audience,
  { source, name, own }: Entry,
): void {
  const server = source?.server.name ?? ownServerName
  if (own !== null ? may(principal, own.scope) : may(principal, 'call')) {
    if (sight.mayCall(server, name)) return
    throw new PortalError(portalCodes.forbidden, `This key may see ${server}/${name}, and not call it`)
  }
  throw new PortalError(
    portalCodes.forbidden,
    `${server}/${name}: this needs the scope ${own?.scope ?? 'call'}`,
  )
}

async function callOwn(
  call: ClientCall,
  audience: Audience,
  name: string,
  { own }: CallToolOptions,
): Promise<Answer> {
  const { client, signal, exchange } = call
  const args = memberOf(call.params, 'arguments') ?? '{}'
  const token = memberOf(memberOf(call.params, '_meta') ?? '{}', 'progressToken')
  const context = {
    ...{ principal: client.principal, signal, exchange },
    progress(done: number, total?: number, message?: string) {
      if (token === null) return
      const said = JSON.stringify({ progress: done, total, message })
      call.notify('notifications/progress', withMember(said, 'progressToken', token))
    },
  }
  const serving = name === searchToolsName ? openOwn([findingTools(audience).search]) : own
  return await serving.call(name, args, context)
}
