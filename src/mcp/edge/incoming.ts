import type { Hop } from '../record/recorder.ts'
import type { Message } from '../wire/message.ts'
import type { Edge, StreamServer } from './edge.ts'
import type { Target, Visitor } from './identify.ts'
import { hopOpening } from './opening.ts'
import { refusalOf, refusalResponse } from './refusal.ts'

/** One request of a client who may be here. */
export type Incoming = {
  request: Request
  server: StreamServer
  visitor: Visitor
  /** For what outlives the request: asks again who they are, and throws where they may be here no more. */
  again(): () => Visitor
  path: string
}

/** Who is refused sees it when it is on the record. */
export async function refusing(
  edge: Edge,
  { hop, message }: { hop: Hop; message: Message | null },
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work()
  } catch (error) {
    const refusal = refusalOf(error, edge.log)
    const response = refusalResponse(refusal, message?.kind === 'request' ? message.id : null)
    const { status } = refusal
    hop.response(await response.clone().text())
    await hop.end({ outcome: 'rejected', status, error: `rpc ${refusal.error.code}` })
    return response
  }
}

/** What a body holds, as far as that can be told. Null: what is no message. */
export type Held = { body: string; messages: readonly (Message | null)[] }

/** One message that holds a secret, or may, keeps the whole body off the record. */
export function beginHop(edge: Edge, incoming: Incoming, held: Held | null): Hop {
  const { request, visitor, path } = incoming
  const token = request.headers.get('mcp-session-id')
  const [message = null, second] = held?.messages ?? []
  return edge.recorder.begin(
    hopOpening({
      ...{ transport: 'http', method: request.method, path, headers: [...request.headers], visitor },
      message: second === undefined ? message : null,
      session: token === null ? null : edge.sessions.idOf(token),
      isSecret: held?.messages.some((one) => isSecret(edge, held.body, one)) ?? false,
    }),
  )
}

export function isSecret(edge: Edge, text: string, message: Message | null): boolean {
  if (message === null) return edge.mayBeSecret(text)
  return message.kind !== 'response' && edge.isSecret(message.method, message.params)
}

/** The path and query as they are kept: without a secret that is part of the path. */
export function keptPath(request: Request, target: Target): string {
  const { pathname, search } = new URL(request.url)
  return (target.kind === 'secret' ? '/mcp/s/…' : pathname) + search
}
