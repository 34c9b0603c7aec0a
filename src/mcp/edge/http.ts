/** MCP over Streamable HTTP, of both eras, on one URL. */
import { classify } from '../wire/classify.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { isJson, readFrame } from '../wire/frame.ts'
import { readAccept } from './accept.ts'
import { isBatch } from './batch.ts'
import { preflight, withCors } from './cors.ts'
import type { Edge, StreamServer } from './edge.ts'
import { checkMay, identify, revisiting, type Target } from './identify.ts'
import { beginHop, type Incoming, keptPath, refusing } from './incoming.ts'
import { answerLegacy, answerLegacyBatch, endLegacy, listenLegacy } from './legacy.ts'
import { answerModern } from './modern.ts'
import { readBody } from './read-body.ts'
import { invalidRequest, Refusal, refusalOf, refusalResponse } from './refusal.ts'

/** Never rejects: what goes wrong is a JSON-RPC error with the HTTP status that the specification has for it. */
export async function handleHttp(
  edge: Edge,
  request: Request,
  { target, server }: { target: Target; server: StreamServer },
): Promise<Response> {
  const refused = (error: unknown) => refusalResponse(refusalOf(error, edge.log))
  try {
    edge.guard(request)
  } catch (error) {
    return refused(error)
  }
  const response = await answered(edge, request, { target, server }).catch(refused)
  return withCors(response, request.headers.get('origin'))
}

async function answered(
  edge: Edge,
  request: Request,
  { target, server }: { target: Target; server: StreamServer },
): Promise<Response> {
  if (request.method === 'OPTIONS') return preflight(request)
  const visitor = identify(request, target, edge.ways)
  const again = () => revisiting(request, target, edge.ways)
  const incoming = { request, server, visitor, again, path: keptPath(request, target) }
  switch (request.method) {
    case 'POST':
      return await post(edge, incoming)
    case 'GET':
      return await listenLegacy(edge, incoming)
    case 'DELETE':
      return await endLegacy(edge, incoming)
    default: {
      const refusal = invalidRequest(405, 'wrong-method', 'This takes POST, GET and DELETE')
      return refusalResponse(new Refusal(405, refusal.error, { allow: 'GET, POST, DELETE, OPTIONS' }))
    }
  }
}

/** As much as nobody's request may have: enough to look. */
const lookingBytes = 64 * 1024

async function post(edge: Edge, incoming: Incoming): Promise<Response> {
  const { request, visitor } = incoming
  const accepts = readAccept(request.headers)
  const limit = visitor.anonymous ? Math.min(edge.bodyMaxBytes, lookingBytes) : edge.bodyMaxBytes
  const body = await readBody(request, limit)
  if (isBatch(body)) return await answerLegacyBatch(edge, incoming, { body, accepts })
  const message = readFrame(body)
  const hop = beginHop(edge, incoming, { body, messages: [message] })
  hop.request(body)
  return await refusing(edge, { hop, message }, async () => {
    if (message === null) throw notAMessage(body)
    checkMay(visitor, message.kind === 'response' ? null : message.method)
    const kind = classify(message, request.headers)
    if (kind.era === null) throw new Refusal(400, kind.error)
    const answering = { message, hop, accepts }
    return kind.era === 'modern'
      ? await answerModern(edge, incoming, { ...answering, envelope: kind.envelope })
      : await answerLegacy(edge, incoming, answering)
  })
}

function notAMessage(body: string): Refusal {
  if (!isJson(body))
    return new Refusal(400, rpcError(codes.parseError, 'Parse error: the body is not valid JSON'))
  return invalidRequest(400, 'no-message', 'Invalid Request: the body is not a JSON-RPC 2.0 message')
}
