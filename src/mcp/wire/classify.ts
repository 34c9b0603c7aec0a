import { codes, rpcError } from './codes.ts'
import { claimsModern, type Envelope, readEnvelope } from './envelope.ts'
import { headerValue } from './header-value.ts'
import type { Id, Message, NotificationMessage, RequestMessage, RpcError } from './message.ts'
import { stringOf } from './raw-json.ts'
import { isLegacy, isModern, unsupportedVersion } from './versions.ts'

export type Classified =
  /** `version`: as the header has it; null: `initialize`, or a client of before 2025-06-18. */
  | { era: 'legacy'; version: string | null }
  | { era: 'modern'; envelope: Envelope }
  /** Always with HTTP status 400. */
  | { era: null; error: RpcError }

/**
 * Which era a message is of. Its body decides; headers must agree with it, and only where a notification has no
 * body to say it do they decide. `headers` is null where there are none, as on a WebSocket.
 */
export function classify(message: Message, headers: Headers | null): Classified {
  const version = headers?.get('mcp-protocol-version') ?? null
  if (message.kind === 'response') return { era: 'legacy', version: knownLegacy(version) }
  if (message.kind === 'request' && !isExact(message.id))
    return refused(rpcError(codes.invalidRequest, 'Invalid Request: the id is too large a number'))
  if (message.kind === 'request' && message.method === 'initialize' && !isModernInitialize(message)) {
    if (version === null || !isModern(version)) return { era: 'legacy', version: null }
    return refused(mismatch(`MCP-Protocol-Version is ${version}, which has no initialize`))
  }
  if (claimsModern(message.params)) return modern(message, headers, version)
  if (version === null || isLegacy(version)) return { era: 'legacy', version }
  if (!isModern(version)) return refused(unsupportedVersion(version))
  if (message.kind === 'notification') return modernNotification(version)
  const envelope = readEnvelope(message.params)
  return 'error' in envelope
    ? refused(envelope.error)
    : refused(rpcError(codes.invalidParams, 'Invalid params'))
}

function modern(
  message: RequestMessage | NotificationMessage,
  headers: Headers | null,
  version: string | null,
): Classified {
  const envelope = readEnvelope(message.params)
  if ('error' in envelope) return refused(envelope.error)
  if (headers !== null) {
    const wrong = wrongHeader(message, { headers, version, claimed: envelope.version })
    if (wrong !== null) return refused(mismatch(wrong))
  }
  return isModern(envelope.version)
    ? { era: 'modern', envelope }
    : refused(unsupportedVersion(envelope.version))
}

/** What is wrong with the headers that repeat parts of the body; null: nothing. */
function wrongHeader(
  message: RequestMessage | NotificationMessage,
  { headers, version, claimed }: { headers: Headers; version: string | null; claimed: string },
): string | null {
  const needed = message.kind === 'request'
  const { method } = message
  if (version === null && needed) return 'MCP-Protocol-Version is missing'
  if (version !== null && version !== claimed)
    return `MCP-Protocol-Version is ${quoted(version)}, in the body it is ${quoted(claimed)}`
  // Before Mcp-Method: which headers there must be depends on the revision.
  if (!isModern(claimed)) return null
  const named = headers.get('mcp-method')
  if (named === null && needed) return 'Mcp-Method is missing'
  if (named !== null && named !== method)
    return `Mcp-Method is ${quoted(named)}, in the body it is ${quoted(method)}`
  return wrongName(message, headers.get('mcp-name'))
}

function wrongName({ method, params }: RequestMessage | NotificationMessage, header: string | null) {
  const source = nameSources[method]
  const name = source === undefined ? null : stringOf(params, source)
  if (name === null) return null
  if (header === null) return `Mcp-Name is missing, in the body it is ${quoted(name)}`
  const value = headerValue(header)
  if (value === null) return 'Mcp-Name is no valid Base64'
  return value === name ? null : `Mcp-Name is ${quoted(value)}, in the body it is ${quoted(name)}`
}

/** Which parameter of these methods `Mcp-Name` repeats. */
const nameSources: Record<string, string> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

/** A client of the modern era that asks for it is told that there is no such method. */
function isModernInitialize({ params }: RequestMessage): boolean {
  if (!claimsModern(params)) return false
  const envelope = readEnvelope(params)
  return !('error' in envelope) && isModern(envelope.version)
}

function modernNotification(version: string): Classified {
  return { era: 'modern', envelope: { version, info: '{}', capabilities: '{}', logLevel: null } }
}

/** Would it be given back as it came? */
function isExact(id: Id): boolean {
  return typeof id === 'string' || Number.isSafeInteger(id) || (Number.isFinite(id) && !Number.isInteger(id))
}

function knownLegacy(version: string | null): string | null {
  return version !== null && isLegacy(version) ? version : null
}

function refused(error: RpcError): Classified {
  return { era: null, error }
}

function mismatch(what: string): RpcError {
  return rpcError(codes.headerMismatch, `Header mismatch: ${what}`)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}
