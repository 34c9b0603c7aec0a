import type { ServerWebSocket } from 'bun'
import { isWebSocket, type SocketData, type UpgradeServer } from '#lib/server-socket'
import { type Duplex, openDuplex } from './duplex.ts'
import type { Edge } from './edge.ts'
import { revisiting, type Target } from './identify.ts'
import { invalidRequest, refusalOf, refusalResponse } from './refusal.ts'

export type Sockets = {
  /** MCP over WebSocket, of both eras: one message a text frame. Answers the upgrade; never rejects. */
  handle(request: Request, server: UpgradeServer | null): Response
  count(): number
  close(): void
}

/** Past so much that the client has not taken, it is cut off. */
const queueBytes = 8 * 1024 * 1024

export function openSockets(edge: Edge): Sockets {
  const open = new Set<ServerWebSocket<SocketData>>()
  return {
    handle(request, server) {
      try {
        edge.guard(request)
        const { pathname, searchParams } = new URL(request.url)
        const name = searchParams.get('portal')
        const target: Target = name === null ? { kind: 'all' } : { kind: 'portal', name }
        const visit = revisiting(request, target, edge.ways)
        const visitor = visit()
        if (server === null || !isWebSocket(request.headers))
          throw invalidRequest(426, 'no-websocket', 'This takes WebSockets: upgrade the connection')
        const headers = new Headers()
        // Browsers close a connection whose protocol was not taken.
        const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? []
        if (offered.some((one) => one.trim() === 'mcp')) headers.set('sec-websocket-protocol', 'mcp')
        const about = {
          visit,
          transport: 'websocket',
          path: pathname,
          headers: [...request.headers],
        } as const
        const giveBack = edge.places.take(visitor)
        const data = socketData(edge, { about, open, giveBack })
        if (server.upgrade(request, { headers, data })) return new Response(null)
        giveBack()
        throw invalidRequest(400, 'no-upgrade', 'The connection could not be upgraded')
      } catch (error) {
        return refusalResponse(refusalOf(error, edge.log))
      }
    },
    count: () => open.size,
    close() {
      for (const socket of [...open]) socket.close(1001, 'The gateway stops')
    },
  }
}

type About = Omit<Parameters<typeof openDuplex>[1], 'send' | 'close'>

function socketData(
  edge: Edge,
  { about, open, giveBack }: { about: About; open: Set<ServerWebSocket<SocketData>>; giveBack: () => void },
): SocketData {
  let duplex: Duplex | null = null
  return {
    open(socket) {
      open.add(socket)
      duplex = openDuplex(edge, {
        ...about,
        close: () => socket.close(1008, 'The key is valid no more'),
        send(frame) {
          socket.send(frame)
          if (socket.getBufferedAmount() > queueBytes) socket.terminate()
        },
      })
    },
    message(socket, message) {
      if (typeof message === 'string') duplex?.take(message)
      else socket.close(1003, 'Messages are text')
    },
    tooLong() {
      duplex?.tooLong()
    },
    drain() {},
    close(socket) {
      open.delete(socket)
      giveBack()
      duplex?.end()
    },
  }
}
