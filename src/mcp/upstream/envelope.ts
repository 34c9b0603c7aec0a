import type { RawJson } from '../wire/message.ts'
import { memberOf, withMember, withoutMembers } from '../wire/raw-json.ts'
import type { UpstreamCall } from './upstream.ts'

const prefix = 'io.modelcontextprotocol/'
const own = ['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel'].map((name) => prefix + name)

export type Envelope = {
  params: RawJson
  /** The client's own progress token; null where it wants no progress. */
  token: RawJson | null
}

/** The params as this hop needs them: whose request it is, and a progress token that no other client has. */
export function envelopeOf(
  call: Pick<UpstreamCall, 'params' | 'capabilities' | 'logLevel'>,
  hop: { id: number; era: 'legacy' | 'modern'; version: string; clientInfo: RawJson },
): Envelope {
  const given = memberOf(call.params, '_meta')
  const token = given === null ? null : memberOf(given, 'progressToken')
  let meta = withoutMembers(given ?? '{}', hop.era === 'legacy' ? own : own.slice(0, 1))
  if (token !== null) meta = withMember(meta, 'progressToken', String(hop.id))
  if (hop.era === 'modern') meta = modern(meta, call, hop)
  const params = meta === '{}' && given === null ? call.params : withMember(call.params, '_meta', meta)
  return { params, token }
}

function modern(
  given: RawJson,
  call: Pick<UpstreamCall, 'capabilities' | 'logLevel'>,
  hop: { version: string; clientInfo: RawJson },
): RawJson {
  let meta = withMember(given, `${prefix}protocolVersion`, JSON.stringify(hop.version))
  const set = (name: string, value: RawJson | null) => {
    if (value !== null && memberOf(meta, prefix + name) === null)
      meta = withMember(meta, prefix + name, value)
  }
  if (call.capabilities !== undefined) meta = withoutMembers(meta, [`${prefix}clientCapabilities`])
  set('clientInfo', hop.clientInfo)
  set('clientCapabilities', call.capabilities ?? '{}')
  set('logLevel', call.logLevel == null ? null : JSON.stringify(call.logLevel))
  return meta
}

/** The params of a progress notification, with the token that the client knows. */
export function withToken(params: RawJson, token: RawJson): RawJson {
  return withMember(params, 'progressToken', token)
}
