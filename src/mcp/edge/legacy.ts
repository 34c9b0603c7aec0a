import { errorText } from '#lib/errors'
import type { Client } from '../portal/portal.ts'
import type { Hop } from '../record/recorder.ts'
import { hear, isAskedElsewhere, type Session } from '../session/session.ts'
import { notificationFrame, responseFrame } from '../wire/frame.ts'
import type { Message, NotificationMessage, RequestMessage, ResponseMessage } from '../wire/message.ts'
import { hasBatches, hasPriming } from '../wire/versions.ts'
import type { Accepts } from './accept.ts'
import { answerCall } from './answering.ts'
import { messagesIn, readBatch } from './batch.ts'
import { batchReply } from './batch-reply.ts'
import { runCall } from './call.ts'
import { type Edge, letRun } from './edge.ts'
import { checkMay, type Visitor } from './identify.ts'
import { beginHop, type Incoming, refusing } from './incoming.ts'
import { initialize } from './initialize.ts'
import { openListening } from './listening.ts'
import { invalidRequest } from './refusal.ts'
import { openReply } from './reply.ts'
import { replay } from './resume.ts'

type Answering = { message: Message; hop: Hop; accepts: Accepts }

/** A message of a revision with sessions. */
export async function answerLegacy(edge: Edge, incoming: Incoming, answering: Answering): Promise<Response> {
  const { message, hop, accepts } = answering
  if (message.kind === 'request' && message.method === 'initialize')
    return await initialize(edge, incoming, { message, hop })
  const session = await sessionOf(edge, incoming)
  if (message.kind === 'request') return await request(edge, incoming, { message, hop, accepts, session })
  if (message.kind === 'response') await takeAnswer(edge, session, message)
  else await takeNotification(edge, message, { session, visitor: incoming.visitor })
  return await accepted(hop)
}

async function request(
  edge: Edge,
  { request, server, visitor }: Incoming,
  {
    message,
    hop,
    accepts,
    session,
  }: { message: RequestMessage; hop: Hop; accepts: Accepts; session: Session },
): Promise<Response> {
  // Nothing else would show that it lives.
  if (!accepts.stream) server?.timeout(request, 0)
  const reply = openReply({
    ...{ hop, accepts, heartbeat: edge.heartbeat, limits: edge.limits, headers: {}, resumable: true },
    priming: hasPriming(session.claims.version),
    statusOf: () => 200,
    onGone: () => {},
    onStream() {
      server?.timeout(request, 0)
      edge.streams.set(hop.id, { reply, session: session.claims.id, resumed: 0 })
    },
  })
  const call = { message, client: legacyClient(visitor, session), session, hop, outlet: reply, gone: null }
  const answered = runCall(call, (of) => answerCall(answeringOf(edge), of, { session, id: message.id }))
  letRun(
    edge,
    answered.finally(() => edge.streams.delete(hop.id)),
  )
  return await reply.response
}

/** Of revision 2025-03-26: several messages in one body, whose answers come in one stream. */
export async function answerLegacyBatch(
  edge: Edge,
  incoming: Incoming,
  { body, accepts }: { body: string; accepts: Accepts },
): Promise<Response> {
  const hop = beginHop(edge, incoming, { body, messages: messagesIn(body) })
  hop.request(body)
  return await refusing(edge, { hop, message: null }, async () => {
    const messages = readBatch(body)
    const session = await sessionOf(edge, incoming)
    const { version } = session.claims
    if (!hasBatches(version))
      throw invalidRequest(400, 'no-batches', `Invalid Request: revision ${version} has no batches`)
    for (const message of messages) {
      checkMay(incoming.visitor, message.kind === 'response' ? null : message.method)
      if (message.kind === 'response') await takeAnswer(edge, session, message)
      if (message.kind === 'notification')
        await takeNotification(edge, message, { session, visitor: incoming.visitor })
    }
    const requests = messages.filter((message) => message.kind === 'request')
    if (requests.length === 0) return await accepted(hop)
    const { reply, outlets } = batchReply(requests.length, { edge, incoming, hop, accepts })
    const client = legacyClient(incoming.visitor, session)
    requests.forEach((message, at) => {
      const outlet = outlets[at]
      if (outlet === undefined) return
      const call = { message, client, session, hop, outlet, gone: null }
      const { id } = message
      letRun(
        edge,
        runCall(call, (of) => answerCall(answeringOf(edge), of, { session, id })),
      )
    })
    return await reply
  })
}

/** GET: where a client hears what it did not ask for, or comes back to a stream that broke off. */
export async function listenLegacy(edge: Edge, incoming: Incoming): Promise<Response> {
  const { request, server, visitor } = incoming
  const accept = request.headers.get('accept') ?? '*/*'
  if (!/text\/event-stream|\*\/\*/i.test(accept))
    throw invalidRequest(406, 'not-acceptable', 'Accept must have text/event-stream')
  checkMay(visitor, 'subscriptions/listen')
  const session = await sessionOf(edge, incoming)
  const lastSeen = request.headers.get('last-event-id')
  server?.timeout(request, 0)
  const resumed = lastSeen === null ? null : await replay(edge, incoming, { lastSeen, session })
  if (resumed !== null) return resumed
  const leave = edge.places.take(visitor, session.listening !== null)
  const hop = orElse(() => beginHop(edge, incoming, null), leave)
  const { portal, heartbeat, limits } = edge
  return openListening({
    ...{
      portal,
      session,
      hop,
      heartbeat,
      limits,
      onOver: leave,
      client: () => legacyClient(visitor, session),
    },
    gone: request.signal,
    visit: incoming.again(),
  })
}

/** DELETE: the client needs its session no more. */
export async function endLegacy(edge: Edge, incoming: Incoming): Promise<Response> {
  const session = await sessionOf(edge, incoming)
  const hop = beginHop(edge, incoming, null)
  return await refusing(edge, { hop, message: null }, async () => {
    await edge.sessions.end(session).catch((error: unknown) => {
      edge.log.warn({ reason: errorText(error) }, 'MCP: the end of a session could not be stored')
      throw invalidRequest(
        503,
        'database-down',
        'The session has ended here, and may not have elsewhere: try again',
      )
    })
    await hop.end({ outcome: 'completed', status: 204, error: null })
    return new Response(null, { status: 204 })
  })
}

function orElse<Made>(make: () => Made, undo: () => void): Made {
  try {
    return make()
  } catch (error) {
    undo()
    throw error
  }
}

async function accepted(hop: Hop): Promise<Response> {
  await hop.end({ outcome: 'completed', status: 202, error: null })
  return new Response(null, { status: 202 })
}

export function legacyClient({ principal, portal }: Visitor, { claims, logLevel }: Session): Client {
  const { id: session, version: protocolVersion, info, capabilities } = claims
  return { principal, portal, era: 'legacy', protocolVersion, session, info, capabilities, logLevel }
}

export async function takeNotification(
  edge: Edge,
  message: NotificationMessage,
  { session, visitor }: { session: Session; visitor: Visitor },
): Promise<void> {
  const { method, params } = message
  if (method === 'notifications/cancelled') {
    // Who may only look has nothing under way that lasts.
    if (!hear(session, message) && !visitor.anonymous)
      await edge.sessions.elsewhere(session, notificationFrame(method, params))
  } else if (method !== 'notifications/initialized') {
    edge.portal.notify(legacyClient(visitor, session), method, params)
  }
}

/** @throws Refusal 400 where nothing of that id was asked, or it was answered already */
export async function takeAnswer(edge: Edge, session: Session, message: ResponseMessage): Promise<void> {
  if (hear(session, message)) return
  const { id, answer } = message
  if (isAskedElsewhere(session, id)) return await edge.sessions.elsewhere(session, responseFrame(id, answer))
  throw invalidRequest(400, 'unasked', `No request of the id ${JSON.stringify(id)} waits for a response`)
}

export function answeringOf({ portal, sessions, subscriptions }: Edge) {
  return { portal, sessions, subscribe: subscriptions.serve }
}

async function sessionOf(edge: Edge, { request, visitor }: Incoming): Promise<Session> {
  const token = request.headers.get('mcp-session-id')
  if (token === null)
    throw invalidRequest(
      400,
      'no-session',
      'Bad Request: the Mcp-Session-Id header is missing: initialize first',
    )
  const session = await edge.sessions.find(token, visitor.principal, visitor.portal)
  if (session !== null) return session
  throw invalidRequest(404, 'unknown-session', 'There is no such session, or it has ended: initialize again')
}
