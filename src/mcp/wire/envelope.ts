import { codes, rpcError } from './codes.ts'
import type { RawJson, RpcError } from './message.ts'
import { memberOf, stringOf } from './raw-json.ts'

export const metaKeys = {
  version: 'io.modelcontextprotocol/protocolVersion',
  info: 'io.modelcontextprotocol/clientInfo',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscription: 'io.modelcontextprotocol/subscriptionId',
  server: 'io.modelcontextprotocol/serverInfo',
} as const

/** What a request of the modern era says of its client, in `params._meta`. */
export type Envelope = {
  version: string
  info: RawJson
  capabilities: RawJson
  logLevel: string | null
}

/** Does it claim to be of the modern era? A broken claim is one too. */
export function claimsModern(params: RawJson): boolean {
  return memberOf(metaOf(params), metaKeys.version) !== null
}

export function readEnvelope(params: RawJson): Envelope | { error: RpcError } {
  const meta = metaOf(params)
  const version = stringOf(meta, metaKeys.version)
  const capabilities = memberOf(meta, metaKeys.capabilities)
  const info = memberOf(meta, metaKeys.info)
  const logLevel = stringOf(meta, metaKeys.logLevel)
  const wrong: string[] = []
  if (version === null) wrong.push(metaKeys.version)
  if (capabilities?.startsWith('{') !== true) wrong.push(metaKeys.capabilities)
  if (info !== null && !isImplementation(info)) wrong.push(metaKeys.info)
  if (version === null || capabilities === null || wrong.length > 0) {
    return {
      error: rpcError(codes.invalidParams, `Invalid params: _meta must have ${wrong.join(' and ')}`, {
        envelope: wrong,
      }),
    }
  }
  return { version, info: info ?? '{}', capabilities, logLevel }
}

function metaOf(params: RawJson): RawJson {
  return memberOf(params, '_meta') ?? '{}'
}

function isImplementation(info: RawJson): boolean {
  return stringOf(info, 'name') !== null && stringOf(info, 'version') !== null
}
