import type { Hop } from '../record/recorder.ts'
import { oneLine, readFrame, responseFrame } from '../wire/frame.ts'
import type { Answer, Id, NotificationMessage, RawJson, RequestMessage } from '../wire/message.ts'
import { elementsOf, memberOf, withMember, withoutMembers } from '../wire/raw-json.ts'
import type { Calls, Pending } from './calls.ts'
import { withToken } from './envelope.ts'

export type ReceivingDeps = {
  calls: Calls
  /** Where frames go that belong to no call. */
  unasked(): Hop | null
  /** Sends the answer to a request of the server's. */
  reply(id: Id, answer: Answer): void
  /** What the server says on no call's account. */
  tell(method: string, params: RawJson): void
  /** A frame that cannot be what it should be: counted. */
  stray(why: string): void
}

const subscriptionId = 'io.modelcontextprotocol/subscriptionId'

/** Changes concern everybody, on whichever stream they come. */
const forAll = /^notifications\/((tools|prompts|resources)\/list_changed|resources\/updated)$/

/**
 * Takes the server's frames and brings each to the call that it belongs to. `about` is the request on whose own
 * stream it came, where the transport has such.
 */
export function receiver(deps: ReceivingDeps): (text: string, about: number | null) => void {
  const { calls, unasked, reply, tell, stray } = deps

  function take(text: string, about: number | null): void {
    const first = text.trimStart()[0]
    // Batches: revision 2025-03-26 had them.
    if (first === '[') for (const element of elementsOf(text)) one(element, about)
    else one(text, about)
  }

  function one(text: string, about: number | null): void {
    const message = readFrame(text)
    if (message === null) {
      record(about === null ? undefined : calls.get(about), text)
      stray('a frame that is no JSON-RPC message')
    } else if (message.kind === 'response') answer(message.id, message.answer, text, about)
    else if (message.kind === 'request') request(message, text, about)
    else if (message.method === 'notifications/progress') progress(message.params, text)
    else if (message.method === 'notifications/subscriptions/acknowledged') acknowledged(message, text)
    else if (message.method === 'notifications/cancelled') cancelled(message.params, text, about)
    else notification(message.method, message.params, text, about)
  }

  function answer(id: Id | null, given: Answer, text: string, about: number | null): void {
    const call = id === null ? unreadable(about) : calls.get(typeof id === 'number' ? id : -1)
    record(call, text)
    const size = Buffer.byteLength(text)
    if (call === undefined)
      stray(`an answer to ${id === null ? 'nothing' : 'a request that is not under way'}`)
    else if (size > call.listener.maxBytes) calls.fail(call.id, tooLarge(size, call.listener.maxBytes))
    else calls.answer(call.id, given)
  }

  /** The server could not read a request. Whose it was is clear where there is one alone. */
  function unreadable(about: number | null): Pending | undefined {
    return about === null ? calls.only() : calls.get(about)
  }

  function notification(method: string, params: RawJson, text: string, about: number | null): void {
    const call = forAll.test(method) ? undefined : ownerOf(about)
    record(call, text)
    if (call === undefined) tell(method, withoutSubscription(params))
    else call.listener.onNotification(method, params)
  }

  function progress(params: RawJson, text: string): void {
    const token = memberOf(params, 'progressToken')
    const call = token === null ? undefined : calls.get(Number(token))
    record(call, text)
    if (call === undefined || call.token === null) {
      stray('progress of a request that is not under way')
      return
    }
    calls.progress(call.id)
    call.listener.onNotification('notifications/progress', withToken(params, call.token))
  }

  function acknowledged({ method, params }: NotificationMessage, text: string): void {
    const call = calls.get(Number(memberOf(memberOf(params, '_meta') ?? '{}', subscriptionId)))
    record(call, text)
    call?.listener.onNotification(method, params)
  }

  /** Of a request of ours it means that the server listens for us no more; of its own ones, that it lost interest. */
  function cancelled(params: RawJson, text: string, about: number | null): void {
    const call = calls.get(Number(memberOf(params, 'requestId')))
    record(call ?? (about === null ? undefined : calls.get(about)), text)
    if (call?.foreign === false)
      calls.fail(call.id, { kind: 'gone', message: 'The server ended the subscription' })
  }

  function request({ id, method, params }: RequestMessage, text: string, about: number | null): void {
    const call = ownerOf(about)
    record(call, text)
    const respond = (given: Answer) => {
      call?.hop.request(`${responseFrame(id, given)}\n`)
      reply(id, given)
    }
    const ask = call?.listener.onRequest
    if (method === 'ping') respond({ result: '{}' })
    else if (ask === undefined) respond(refusal(method, call))
    else void Promise.try(ask, method, params).then(respond, () => respond(internal))
  }

  /** The call that something belongs to: by its stream, or because it is the only one. */
  function ownerOf(about: number | null): Pending | undefined {
    if (about !== null) return calls.get(about)
    const all = calls.foreign()
    return all.length === 1 ? all[0] : undefined
  }

  function record(call: Pending | undefined, text: string): void {
    const hop = call?.hop ?? unasked()
    hop?.response(`${oneLine(text)}\n`)
  }

  return take
}

const internal: Answer = { error: { code: -32_603, message: 'The answer could not be had' } }

function refusal(method: string, call: Pending | undefined): Answer {
  const message =
    call === undefined
      ? `${method} belongs to no single call that is under way`
      : `${method} is not supported by the client of this call`
  return { error: { code: call === undefined ? -32_600 : -32_601, message } }
}

export function tooLarge(bytes: number, limit: number) {
  return {
    kind: 'tooLarge',
    message: `The answer has ${bytes} bytes, more than the limit of ${limit}`,
    data: JSON.stringify({ bytes, limit }),
  } as const
}

/** By which subscription of ours it came is no news for clients. */
function withoutSubscription(params: RawJson): RawJson {
  const meta = memberOf(params, '_meta')
  if (meta === null) return params
  const rest = withoutMembers(meta, [subscriptionId])
  return rest === '{}' ? withoutMembers(params, ['_meta']) : withMember(params, '_meta', rest)
}
