import type { Socket } from 'bun'

type Pair = { other: Socket<Pair> | null; waiting: Uint8Array[] }

export type TcpRelay = {
  port: number
  /** Cuts every connection and refuses new ones. */
  cut(): void
  /** Takes connections again, on the same port. */
  restore(): void
  stop(): void
}

/** A stretch of network that a test can cut: relays bytes to a port of this machine. */
export function tcpRelay(target: { hostname: string; port: number }): TcpRelay {
  const open = new Set<Socket<Pair>>()
  let listener = listen(0)
  const port = listener.port
  return {
    port,
    cut() {
      listener.stop(true)
      for (const socket of open) socket.terminate()
      open.clear()
    },
    restore() {
      listener = listen(port)
    },
    stop() {
      this.cut()
    },
  }

  function listen(wanted: number) {
    return Bun.listen<Pair>({
      hostname: '127.0.0.1',
      port: wanted,
      socket: {
        open(client) {
          const pair: Pair = { other: null, waiting: [] }
          client.data = pair
          open.add(client)
          void connect(client, pair)
        },
        data: (client, bytes) => forward(client.data, bytes),
        close: (client) => end(client),
        error: (client) => end(client),
      },
    })
  }

  async function connect(client: Socket<Pair>, pair: Pair): Promise<void> {
    try {
      pair.other = await Bun.connect<Pair>({
        ...target,
        data: { other: client, waiting: [] },
        socket: {
          data: (server, bytes) => forward(server.data, bytes),
          close: (server) => end(server),
          error: (server) => end(server),
        },
      })
      open.add(pair.other)
      for (const bytes of pair.waiting) pair.other.write(bytes)
    } catch {
      client.terminate()
    }
  }

  function forward(pair: Pair, bytes: Uint8Array): void {
    if (pair.other === null) pair.waiting.push(bytes.slice())
    else pair.other.write(bytes)
  }

  function end(socket: Socket<Pair>): void {
    open.delete(socket)
    socket.data.other?.end()
  }
}
