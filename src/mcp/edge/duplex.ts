/** A connection that carries messages both ways, one by one: a WebSocket, or the old transport of SSE and POST. */
import type { Client } from '../portal/portal.ts'
import type { Hop, HopOpen } from '../record/recorder.ts'
import { endSession, type Session } from '../session/session.ts'
import { classify } from '../wire/classify.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { isJson, notificationFrame, readFrame, responseFrame } from '../wire/frame.ts'
import type { Id, Message, NotificationMessage, RequestMessage } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { answerCall } from './answering.ts'
import { runCall } from './call.ts'
import { type Edge, letRun } from './edge.ts'
import { checkMay, type Visitor, whileWelcome } from './identify.ts'
import { isSecret } from './incoming.ts'

import { beginSession } from './initialize.ts'
import { answeringOf, legacyClient, takeAnswer, takeNotification } from './legacy.ts'
import { modernClient } from './modern.ts'
import { hopOpening } from './opening.ts'
import type { Outlet } from './outlet.ts'
import { tooLarge } from './read-body.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { endOf } from './reply.ts'
import { changeNotification } from './subscriptions.ts'

export type Duplex = {
  /** One message of the client. Never throws. */
  take(text: string): void
  /** One over the limit came, and was dropped: that is what the client is answered, and it may go on. */
  tooLong(): void
  /** The connection is gone: what is under way is cancelled. */
  end(): void
}

export type DuplexOptions = {
  /** Who is there, asked anew for each message: throws where they may be here no more. */
  visit(): Visitor
  transport: HopOpen['transport']
  path: string
  headers: HopOpen['headers']
  send(frame: string): void
  /** Ends the connection: its client may be here no more. */
  close(): void
}

export function openDuplex(edge: Edge, options: DuplexOptions): Duplex {
  const { visit, transport, path, headers, send } = options
  let visitor = visit()
  const leave = whileWelcome(visit, edge.heartbeat, options.close)
  const gone = new AbortController()
  /** Of the modern era, whose requests belong to no session. */
  const calls: Session['calls'] = new Map()
  let session: Session | null = null
  let unasked: Hop | null = null
  let stopListening = () => {}

  return {
    take(text) {
      letRun(edge, receive(text))
    },
    tooLong() {
      letRun(edge, receive(null))
    },
    end() {
      gone.abort()
      leave()
      stopListening()
      if (session !== null) endSession(session)
      void Promise.resolve(unasked?.end({ outcome: 'completed', status: null, error: null })).catch(() => {})
    },
  }

  /** Null: what came is over the limit. */
  async function receive(text: string | null): Promise<void> {
    const message = text === null ? null : readFrame(text)
    let hop: Hop | null = null
    try {
      visitor = visit()
      hop = begin(message, text !== null && isSecret(edge, text, message))
      if (text === null) throw tooLarge(edge.bodyMaxBytes)
      hop.request(`${text}\n`)
      if (message === null) throw notAMessage(text)
      await serve(message, hop)
    } catch (error) {
      const refusal = refusalOf(error, edge.log)
      const frame = responseFrame(message?.kind === 'request' ? message.id : null, { error: refusal.error })
      hop?.response(`${frame}\n`)
      await Promise.resolve(
        hop?.end({ outcome: 'rejected', status: null, error: `rpc ${refusal.error.code}` }),
      ).catch(() => {})
      send(frame)
    }
  }

  async function serve(message: Message, hop: Hop): Promise<void> {
    checkMay(visitor, message.kind === 'response' ? null : message.method)
    const kind = classify(message, null)
    if (kind.era === null) throw new Refusal(400, kind.error)
    if (message.kind === 'request' && kind.era === 'modern')
      return await answer(message, { hop, client: modernClient(visitor, kind.envelope), of: null })
    if (message.kind === 'request' && message.method === 'initialize') return await initialize(message, hop)
    if (isCancelled(message)) cancel(message)
    if (session === null) {
      if (message.kind === 'notification') return await over(hop)
      throw new Refusal(400, rpcError(codes.invalidRequest, 'Invalid Request: initialize first'))
    }
    if (message.kind === 'request')
      return await answer(message, { hop, client: legacyClient(visitor, session), of: session })
    if (message.kind === 'response') await takeAnswer(edge, session, message)
    else if (!isCancelled(message)) await takeNotification(edge, message, { session, visitor })
    await over(hop)
  }

  async function answer(
    message: RequestMessage,
    { hop, client, of }: { hop: Hop; client: Client; of: Session | null },
  ): Promise<void> {
    const outlet: Outlet = {
      canSend: true,
      send(frame) {
        hop.response(`${frame}\n`)
        send(frame)
      },
      async finish(frame, { answer: answered, gone: isGone }) {
        if (frame !== null) hop.response(`${frame}\n`)
        await hop.end({ ...endOf(answered, isGone), status: null })
        if (frame !== null) send(frame)
      },
    }
    const giveBack = message.method === 'subscriptions/listen' ? edge.places.take(visitor) : () => {}
    const call = { message, client, session: of, hop, outlet, gone: gone.signal, calls }
    await runCall(call, (given) =>
      answerCall(answeringOf(edge), given, { session: of, id: message.id }),
    ).finally(giveBack)
  }

  async function initialize(message: RequestMessage, hop: Hop): Promise<void> {
    if (session !== null) endSession(session)
    stopListening()
    const begun = beginSession(edge, message, visitor)
    session = begun.session
    hop.response(`${begun.frame}\n`)
    await over(hop)
    send(begun.frame)
    listen(begun.session)
  }

  /** What changes is told unasked, on this connection. */
  function listen(of: Session): void {
    const restart = () => {
      stopListening()
      const interest = { tools: true, prompts: true, resources: true, resourceUris: [...of.uris] }
      stopListening = edge.portal.listen(legacyClient(visitor, of), interest, (change) => {
        const { method, params } = changeNotification(change)
        const frame = notificationFrame(method, params)
        unasked ??= begin(null, false)
        unasked.response(`${frame}\n`)
        send(frame)
      })
    }
    of.listening = { close: () => {}, refresh: restart }
    restart()
  }

  function cancel({ params }: NotificationMessage): void {
    const id: unknown = JSON.parse(memberOf(params, 'requestId') ?? 'null')
    if (isId(id)) calls.get(id)?.cancel()
  }

  function begin(message: Message | null, secret: boolean): Hop {
    return edge.recorder.begin(
      hopOpening({
        ...{ transport, method: 'GET', path, headers, visitor, message, session: session?.claims.id ?? null },
        isSecret: secret,
      }),
    )
  }
}

async function over(hop: Hop): Promise<void> {
  await hop.end({ outcome: 'completed', status: null, error: null })
}

function isCancelled(message: Message): message is NotificationMessage {
  return message.kind === 'notification' && message.method === 'notifications/cancelled'
}

function isId(id: unknown): id is Id {
  return typeof id === 'string' || typeof id === 'number'
}

function notAMessage(text: string): Refusal {
  if (!isJson(text))
    return new Refusal(400, rpcError(codes.parseError, 'Parse error: this is not valid JSON'))
  return new Refusal(400, rpcError(codes.invalidRequest, 'Invalid Request: this is no JSON-RPC 2.0 message'))
}
