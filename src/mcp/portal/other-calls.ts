import { may } from '#access'
import type { StoredName } from '../servers/servers.ts'
import type { Answer } from '../wire/message.ts'
import { memberOf, stringOf, withMember } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { answerFor } from './era.ts'
import { invalid, PortalError, portalCodes } from './errors.ts'
import { findResource } from './find-resource.ts'
import { formerly } from './former-name.ts'
import { forward, forwardFitting } from './forward.ts'
import type { OverflowStore } from './overflow.ts'
import type { ClientCall } from './portal.ts'
import type { Source } from './source.ts'
import type { Entry } from './view.ts'

/** `prompts/get`, `resources/read`, `completion/complete`: to the server that has it, under its own name. */

/** @throws PortalError */
export async function getPrompt(
  call: ClientCall,
  audience: Audience,
  { storedNames, overflow }: { storedNames: readonly StoredName[]; overflow: OverflowStore | undefined },
): Promise<Answer> {
  const { entry, source } = promptOf(stringOf(call.params, 'name'), audience, storedNames)
  mayCall(call, audience, source, entry.name)
  return await forwardFitting(call, source, {
    ...{ ...limits(source), name: entry.name, store: overflow },
    params: withMember(call.params, 'name', JSON.stringify(entry.name)),
  })
}

/** @throws PortalError */
export async function readResource(
  call: ClientCall,
  audience: Audience,
  { overflow }: { overflow: OverflowStore | undefined },
): Promise<Answer> {
  const given = stringOf(call.params, 'uri')
  if (given === null) throw invalid('resources/read: params.uri must be a string')
  const { source, uri } = findResource(call.client, audience, given)
  mayCall(call, audience, source, uri)
  const params = uri === given ? call.params : withMember(call.params, 'uri', JSON.stringify(uri))
  return await forwardFitting(call, source, { ...limits(source), params, name: uri, store: overflow })
}

/** @throws PortalError */
export async function complete(call: ClientCall, audience: Audience): Promise<Answer> {
  const ref = memberOf(call.params, 'ref') ?? '{}'
  const type = stringOf(ref, 'type')
  const target =
    type === 'ref/prompt'
      ? promptTarget(ref, audience)
      : type === 'ref/resource'
        ? resourceTarget(call, ref, audience)
        : null
  if (target === null) throw invalid('completion/complete: params.ref must name a prompt or a resource')
  mayCall(call, audience, target.source, target.name)
  if (memberOf(target.source.catalogue()?.facts.capabilities ?? '{}', 'completions') === null)
    return answerFor(call.client.era, call.method, { result: '{"completion":{"values":[]}}' })
  const params = withMember(call.params, 'ref', target.ref)
  return await forward(call, target.source, { ...limits(target.source), params })
}

function promptTarget(ref: string, audience: Audience) {
  const { entry, source } = promptOf(stringOf(ref, 'name'), audience)
  return { source, name: entry.name, ref: withMember(ref, 'name', JSON.stringify(entry.name)) }
}

function resourceTarget({ client }: ClientCall, ref: string, audience: Audience) {
  const given = stringOf(ref, 'uri')
  if (given === null) throw invalid('completion/complete: params.ref.uri must be a string')
  const template = audience.lists.templates.find(({ exposed }) => exposed === given)
  const found =
    template?.source != null
      ? { source: template.source, uri: template.name }
      : findResource(client, audience, given)
  return { source: found.source, name: found.uri, ref: withMember(ref, 'uri', JSON.stringify(found.uri)) }
}

function promptOf(
  name: string | null,
  audience: Audience,
  names: readonly StoredName[] = [],
): { entry: Entry; source: Source } {
  const entry =
    name === null ? null : (audience.prompts.get(name) ?? formerly('prompt', name, audience, names))
  if (entry?.source == null) throw invalid(`Unknown prompt: ${(name ?? '').slice(0, 200)}`)
  return { entry, source: entry.source }
}

function mayCall({ client }: ClientCall, { sight }: Audience, { server }: Source, name: string): void {
  const wrong = !may(client.principal, 'call')
    ? 'this needs the scope call'
    : sight.mayCall(server.name, name)
      ? null
      : 'this key may see it, and not use it'
  if (wrong !== null) throw new PortalError(portalCodes.forbidden, `${server.name}/${name}: ${wrong}`)
}

function limits({ server }: Source) {
  return { timeoutMs: server.timeout_ms, maxBytes: server.max_result_bytes }
}
