/** The transport of revision 2024-11-05, for clients that know no other: a stream of events, and a POST beside it. */
import { randomBytes } from 'node:crypto'
import { withCors } from './cors.ts'
import { type Duplex, openDuplex } from './duplex.ts'
import type { Edge, StreamServer } from './edge.ts'
import { identify, revisiting, type Visitor } from './identify.ts'
import { readBody } from './read-body.ts'
import { invalidRequest, refusalOf, refusalResponse } from './refusal.ts'
import { openSse, sseEvent } from './sse-stream.ts'

export type OldSse = {
  /** GET /sse: its first event names the address for messages. */
  listen(request: Request, server: StreamServer): Response
  /** POST /messages?session=… */
  take(request: Request): Promise<Response>
  close(): void
}

type Connection = { visitor: Visitor; duplex: Duplex; end(): void }

export function openOldSse(edge: Edge): OldSse {
  const connections = new Map<string, Connection>()
  return {
    listen(request, server) {
      try {
        edge.guard(request)
        const visit = revisiting(request, { kind: 'all' }, edge.ways)
        const visitor = visit()
        const giveBack = edge.places.take(visitor)
        server?.timeout(request, 0)
        const id = randomBytes(18).toString('base64url')
        const over = () => {
          giveBack()
          connections.get(id)?.duplex.end()
          connections.delete(id)
        }
        const stream = openSse({ ...edge.limits, heartbeat: edge.heartbeat, onGone: over })
        const end = () => {
          stream.end()
          over()
        }
        const duplex = openDuplex(edge, {
          ...{ visit, transport: 'sse', path: '/sse', headers: [...request.headers], close: end },
          send: (frame) => stream.send(sseEvent(frame)),
        })
        connections.set(id, { visitor, duplex, end })
        stream.send(sseEvent(`/messages?session=${id}`, null, 'endpoint'))
        return withCors(stream.response, request.headers.get('origin'))
      } catch (error) {
        return refusalResponse(refusalOf(error, edge.log))
      }
    },
    async take(request) {
      try {
        edge.guard(request)
        const { principal } = identify(request, { kind: 'all' }, edge.ways)
        const connection = connections.get(new URL(request.url).searchParams.get('session') ?? '')
        const theirs = connection?.visitor.principal
        if (
          connection === undefined ||
          theirs?.tenant !== principal.tenant ||
          theirs.keyId !== principal.keyId
        )
          throw invalidRequest(404, 'unknown-session', 'There is no such stream, or it has ended: open /sse')
        connection.duplex.take(await readBody(request, edge.bodyMaxBytes))
        return withCors(new Response('Accepted', { status: 202 }), request.headers.get('origin'))
      } catch (error) {
        return refusalResponse(refusalOf(error, edge.log))
      }
    },
    close() {
      for (const { end } of [...connections.values()]) end()
    },
  }
}
