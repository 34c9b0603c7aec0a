import type { Client, ClientCall } from '../portal/portal.ts'
import type { Hop } from '../record/recorder.ts'
import { askId, type Session } from '../session/session.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { notificationFrame, requestFrame, responseFrame } from '../wire/frame.ts'
import type { Answer, RawJson, RequestMessage } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import type { Outlet } from './outlet.ts'

/** One request of a client, while it is answered. */
export type Call = {
  message: RequestMessage
  client: Client
  /** Null in the modern era, and before `initialize`. */
  session: Session | null
  hop: Hop
  outlet: Outlet
  /** Aborted where the client hangs up on what it cannot come back to. */
  gone: AbortSignal | null
  /** Where `notifications/cancelled` finds it. @default the session's */
  calls?: Session['calls']
}

/** Answers a call, and ends its outlet. Never rejects. `answer` does the work, with what a portal needs of the call. */
export async function runCall(call: Call, answer: (of: ClientCall) => Promise<Answer>): Promise<void> {
  const { message, client, session, hop, outlet, gone } = call
  const stop = new AbortController()
  const cancelled = Promise.withResolvers<null>()
  const cancel = (reason: string) => {
    stop.abort(new Error(reason))
    cancelled.resolve(null)
  }
  const entry = { cancel: () => cancel('The client cancelled it') }
  const hangUp = () => cancel('The client hung up')
  if (gone?.aborted) hangUp()
  gone?.addEventListener('abort', hangUp, { once: true })
  const calls = call.calls ?? session?.calls
  calls?.set(message.id, entry)
  const asked = new Set<string>()
  try {
    const made = answer({
      client,
      method: message.method,
      params: message.params,
      signal: stop.signal,
      exchange: hop.id,
      notify: (method, params) => {
        if (!stop.signal.aborted) outlet.send(notificationFrame(method, params))
      },
      ask: (method, params) => ask(call, { method, params, signal: stop.signal, asked }),
    }).catch(failed)
    const answered = await Promise.race([made, cancelled.promise])
    const frame = answered === null ? null : responseFrame(message.id, answered)
    await outlet.finish(frame, { answer: answered, gone: gone?.aborted ?? false })
  } finally {
    gone?.removeEventListener('abort', hangUp)
    if (calls?.get(message.id) === entry) calls.delete(message.id)
    for (const id of asked) session?.asked.get(id)?.(noAnswer('The call is over'))
    if (session !== null) session.usedAt = Date.now()
  }
}

type Asking = { method: string; params: RawJson; signal: AbortSignal; asked: Set<string> }

/** Asks the client back, on the call's own stream; its answer comes with a request of its own. */
async function ask({ client, session, outlet }: Call, asking: Asking): Promise<Answer> {
  const { method, params, signal, asked } = asking
  if (client.era === 'modern')
    return refused(`A client of ${client.protocolVersion} takes no requests: ${method}`)
  const needed = capabilityFor[method]
  if (needed !== undefined && memberOf(client.capabilities, needed) === null)
    return refused(`The client has not the capability ${needed}: ${method}`)
  if (session === null || !outlet.canSend || signal.aborted)
    return refused(`The client cannot be asked: ${method}`)
  const id = askId(session)
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const settle = (answer: Answer) => {
    session.asked.delete(id)
    asked.delete(id)
    resolve(answer)
  }
  asked.add(id)
  session.asked.set(id, settle)
  signal.addEventListener('abort', () => settle(noAnswer('The client cancelled the call')), { once: true })
  outlet.send(requestFrame(id, method, params))
  return await promise
}

const capabilityFor: Record<string, string> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
}

function refused(message: string): Answer {
  return { error: rpcError(codes.methodNotFound, message) }
}

function noAnswer(message: string): Answer {
  return { error: rpcError(codes.internalError, message) }
}

function failed(error: unknown): Answer {
  const reason = error instanceof Error ? error.message : String(error)
  return { error: rpcError(codes.internalError, `The gateway failed to answer: ${reason.slice(0, 300)}`) }
}
