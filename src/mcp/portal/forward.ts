import { identityOf } from '../record/identity.ts'
import { failureCode } from '../upstream/failure.ts'
import { rpcError } from '../wire/codes.ts'
import type { Answer, RawJson, RpcError } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import { askFor, wantsInput } from './ask-inputs.ts'
import { answerFor } from './era.ts'
import { brief, missingOf } from './missing.ts'
import { fitting, type OverflowStore } from './overflow.ts'
import type { ClientCall } from './portal.ts'
import type { Source } from './source.ts'

export type Forwarded = {
  /** As the server knows things. */
  params: RawJson
  timeoutMs: number
  maxBytes: number
  onExchange?(id: string): void
}

/** Of a result that is stored where it is too large to be sent on. */
const mostStored = 64 * 1024 * 1024

/** As `forward`; of a result that is too large the beginning, and the rest is stored and linked. Never rejects. */
export async function forwardFitting(
  call: ClientCall,
  source: Source,
  { name, store, maxBytes: limit, ...more }: Forwarded & { name: string; store: OverflowStore | undefined },
): Promise<Answer> {
  let of = call.exchange
  const onExchange = (id: string) => {
    of = id
  }
  const maxBytes = store === undefined ? limit : mostStored
  const answer = await forward(call, source, { ...more, maxBytes, onExchange })
  return await fitting(answer, store, { limit, server: source.server.name, name, call, of })
}

/** Sends a client's call on to a server, and answers in the client's words. Never rejects. */
export async function forward(
  call: ClientCall,
  source: Source,
  { params, timeoutMs, maxBytes, onExchange }: Forwarded,
): Promise<Answer> {
  const { client, method, signal, exchange } = call
  const { principal, capabilities } = client
  const logLevel = levelFor(client, source)
  const send = (sent: RawJson) =>
    source.upstream.request({
      ...{ method, params: sent, signal, timeoutMs, maxBytes, parent: exchange, logLevel, capabilities },
      ...{ tenant: principal.tenant, keyId: principal.keyId, mode: principal.capture },
      toolUse: identityOf(memberOf(params, '_meta'), []).toolUse,
      onNotification(name, said) {
        if (mayHear(call, name, said)) call.notify(name, said)
      },
      onRequest: call.ask,
      ...(onExchange === undefined ? {} : { onExchange }),
    })
  const answer = await send(params)
  if ('error' in answer && answer.error.code === failureCode.unavailable)
    return { error: downError(source, answer.error.message) }
  if ('error' in answer && answer.error.code === failureCode.gone)
    return { error: { ...answer.error, message: brief(answer.error.message) } }
  if (client.era === 'legacy' && wantsInput(answer))
    return answerFor(client.era, method, await askFor(call, { params, answer, send }))
  return answerFor(client.era, method, answer)
}

/** Without what a process said last: whoever calls a tool is not who runs the server. */
function downError(source: Source, said: string): RpcError {
  const known = source.upstream.state().reason !== null
  if (!known) return rpcError(failureCode.unavailable, brief(said), { server: source.server.name })
  const { server, reason, ...more } = missingOf(source)
  const next = more.next_try_at === undefined ? '' : `; next try at ${more.next_try_at}`
  const message = `The MCP server ${server} is not available: ${reason}${next}`
  return rpcError(failureCode.unavailable, message, { server, reason, ...more })
}

/** A server of the old era decides what it says to a client that set no level; a modern one is silent until asked. */
function levelFor({ era, logLevel }: ClientCall['client'], source: Source): string | null {
  const isModern = source.catalogue()?.facts.era === 'modern'
  return logLevel ?? (era === 'legacy' && isModern ? 'info' : null)
}

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/** A client of the modern era hears no log messages unless it asked for them; a legacy one all until it does. */
function mayHear({ client }: ClientCall, method: string, params: RawJson): boolean {
  // These are about the server, not about this call: they take another way to all that listen.
  if (/^notifications\/(\w+\/list_changed|resources\/updated)$/.test(method)) return false
  if (method !== 'notifications/message') return true
  if (client.logLevel === null) return client.era === 'legacy'
  return levels.indexOf(stringOf(params, 'level') ?? '') >= levels.indexOf(client.logLevel)
}

export function isLevel(level: string | null): boolean {
  return level !== null && levels.includes(level)
}
