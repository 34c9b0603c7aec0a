import type { Client } from '../portal/portal.ts'
import type { Hop } from '../record/recorder.ts'
import { codes } from '../wire/codes.ts'
import type { Envelope } from '../wire/envelope.ts'
import type { Answer, Message } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import type { Accepts } from './accept.ts'
import { answerCall } from './answering.ts'
import { runCall } from './call.ts'
import { type Edge, letRun } from './edge.ts'
import { whileWelcome } from './identify.ts'
import type { Incoming } from './incoming.ts'
import { checkParamHeaders } from './param-headers.ts'
import { invalidRequest } from './refusal.ts'
import { openReply } from './reply.ts'

/** A message of 2026-07-28: it says all about itself, and its response stream is all that belongs to it. */
export async function answerModern(
  edge: Edge,
  incoming: Incoming,
  { message, hop, accepts, envelope }: { message: Message; hop: Hop; accepts: Accepts; envelope: Envelope },
): Promise<Response> {
  const { request, server, visitor } = incoming
  const client = modernClient(visitor, envelope)
  if (message.kind === 'response')
    throw invalidRequest(400, 'unasked', 'A response answers nothing that was asked')
  if (message.kind === 'notification') {
    edge.portal.notify(client, message.method, message.params)
    await hop.end({ outcome: 'completed', status: 202, error: null })
    return new Response(null, { status: 202 })
  }
  const tool = message.method === 'tools/call' ? stringOf(message.params, 'name') : null
  if (tool !== null) {
    const given = memberOf(message.params, 'arguments') ?? '{}'
    checkParamHeaders(request.headers, given, edge.portal.headerParams(client, tool))
  }
  const listens = message.method === 'subscriptions/listen'
  const giveBack = listens ? edge.places.take(visitor) : () => {}
  const gone = new AbortController()
  const hangUp = () => gone.abort()
  request.signal.addEventListener('abort', hangUp, { once: true })
  // Nothing else would show that it lives.
  if (!accepts.stream) server?.timeout(request, 0)
  const reply = openReply({
    ...{ hop, heartbeat: edge.heartbeat, limits: edge.limits, headers: {}, statusOf: modernStatus },
    // There is no other way to answer this one.
    accepts: listens ? { json: true, stream: true } : accepts,
    resumable: false,
    priming: false,
    onGone: hangUp,
    onStream: () => server?.timeout(request, 0),
  })
  const { portal, sessions, subscriptions } = edge
  const call = { message, client, session: null, hop, outlet: reply, gone: gone.signal }
  const answering = { portal, sessions, subscribe: subscriptions.serve }
  const answered = runCall(call, (of) => answerCall(answering, of, { session: null, id: message.id }))
  letRun(edge, answered)
  if (listens) {
    const leave = whileWelcome(incoming.again(), edge.heartbeat, hangUp)
    void answered.finally(() => {
      leave()
      giveBack()
    })
  }
  return await reply.response
}

export function modernClient(
  { principal, portal }: Incoming['visitor'],
  { version, info, capabilities, logLevel }: Envelope,
): Client {
  return {
    principal,
    portal,
    era: 'modern',
    protocolVersion: version,
    session: null,
    info,
    capabilities,
    logLevel,
  }
}

/** The statuses that the specification gives to errors; all other errors are answers like any. */
function modernStatus(answer: Answer | null): number {
  if (answer === null || 'result' in answer) return 200
  return statuses[answer.error.code] ?? 200
}

const statuses: Record<number, number> = {
  [codes.parseError]: 400,
  [codes.invalidRequest]: 400,
  [codes.methodNotFound]: 404,
  [codes.headerMismatch]: 400,
  [codes.missingClientCapability]: 400,
  [codes.unsupportedVersion]: 400,
}
