import type { ServerWebSocket } from 'bun'
import type { AnyElysia } from 'elysia'
import { errorText, SetupError } from '#lib/errors'
import { isLonger, type SocketData } from '#lib/server-socket'

export type Listener = {
  port: number
  /** Takes no new connections; resolves when what is under way has ended, or cuts it after `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** Opens the port. @throws SetupError where it is taken or not ours */
export async function listen(
  app: AnyElysia,
  { hostname, port, bodyMaxBytes }: { hostname: string; port: number; bodyMaxBytes: number },
): Promise<Listener> {
  try {
    app.listen({
      ...{ hostname, port, reusePort: true },
      // For clients that stop in the middle of a request; answers set their own limits.
      idleTimeout: 60,
      // The proxy refuses what is too large in the dialect's shape; this is the limit for everything else.
      maxRequestBodySize: bodyMaxBytes * 2,
      // Errors are ours to show, streams that break off among them.
      development: false,
      websocket: {
        // Bun ends a connection at this one, and nothing can be answered any more.
        maxPayloadLength: bodyMaxBytes * 2,
        // Past the limit Bun drops messages: better to lose the connection, and say so.
        backpressureLimit: bodyMaxBytes + 16 * 1024 * 1024,
        closeOnBackpressureLimit: true,
        // Bun pings before; who does not answer is gone.
        idleTimeout: 120,
        message(given, message) {
          const socket = given as unknown as ServerWebSocket<SocketData>
          if (!isLonger(message, bodyMaxBytes)) socket.data.message(socket, message)
          else if (socket.data.tooLong !== undefined) socket.data.tooLong(socket)
          else socket.close(1009, `A message may have ${bodyMaxBytes} bytes`)
        },
        // Elysia's own handler keeps the payload to itself.
        ping: (socket, payload) =>
          (socket as unknown as ServerWebSocket<SocketData>).data.ping?.(socket as never, payload),
      },
    })
  } catch (cause) {
    throw new SetupError(`Cannot listen on ${hostname}:${port}: ${errorText(cause)}`, { cause })
  }
  const { server } = app
  if (server === null) throw new SetupError(`Cannot listen on ${hostname}:${port}`)
  return {
    port: server.port ?? port,
    async stop(graceMs) {
      const ended = server.stop()
      const cut = Bun.sleep(graceMs).then(() => server.stop(true))
      await Promise.race([ended, cut])
    },
  }
}
