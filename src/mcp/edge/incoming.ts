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

export function beginHop(edge: Edge, incoming: Incoming, message: Message | null): Hop {
  const { request, visitor, path } = incoming
  const token = request.headers.get('mcp-session-id')
  const asked = message === null || message.kind === 'response' ? null : message
  return edge.recorder.begin(
    hopOpening({
      ...{ transport: 'http', method: request.method, path, headers: [...request.headers], visitor, message },
      session: token === null ? null : edge.sessions.idOf(token),
      isSecret: asked !== null && edge.isSecret(asked.method, asked.params),
    }),
  )
}

/** The path and query as they are kept: without a secret that is part of the path. */
export function keptPath(request: Request, target: Target): string {
  const { pathname, search } = new URL(request.url)
  return (target.kind === 'secret' ? '/mcp/s/…' : pathname) + search
}
