import type { Socket } from 'bun'
import { freePort } from './port.ts'

export type Gate = {
  port: number
  /** Cuts every connection and refuses new ones, as a server that is down. */
  shut(): void
  /** Listens again, on the same port. */
  open(): void
  /** Keeps connections open and lets nothing through, as a server that hangs or a network that drops packets. */
  freeze(): void
  thaw(): void
  /** Lets nothing through on the connections that there are, for ever, and says nothing: a lost route. */
  strand(): void
  /** Connections through the gate now. */
  connections(): number
  close(): void
}

type Side = { other?: Socket<Side>; waiting: Uint8Array[]; client: boolean; stranded?: boolean }

/** A way to a server on this machine that can be shut and frozen. */
export function openGate(target: number): Gate {
  const sides = new Set<Socket<Side>>()
  let frozen = false
  let listener = listen(freePort())
  const { port } = listener

  return {
    port,
    shut() {
      listener.stop(true)
      for (const side of sides) side.terminate()
    },
    open() {
      listener = listen(port)
    },
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
      for (const side of [...sides]) flush(side)
    },
    strand() {
      for (const side of sides) side.data.stranded = true
    },
    connections: () => [...sides].filter((side) => side.data.client).length,
    close() {
      listener.stop(true)
      for (const side of sides) side.terminate()
    },
  }

  function listen(onPort: number) {
    return Bun.listen<Side>({
      hostname: '127.0.0.1',
      port: onPort,
      socket: {
        open(client) {
          client.data = { waiting: [], client: true }
          sides.add(client)
          void join(client)
        },
        data: receive,
        drain: flush,
        close: end,
        error: end,
      },
    })
  }

  async function join(client: Socket<Side>): Promise<void> {
    try {
      const server = await Bun.connect<Side>({
        hostname: '127.0.0.1',
        port: target,
        data: { other: client, waiting: client.data.waiting.splice(0), client: false },
        socket: { data: receive, drain: flush, close: end, error: end },
      })
      sides.add(server)
      client.data.other = server
      server.data.waiting.push(...client.data.waiting.splice(0))
      flush(server)
    } catch {
      client.terminate()
    }
  }

  /** What arrives at one side waits at the other until it can be written. */
  function receive(from: Socket<Side>, bytes: Uint8Array): void {
    const to = from.data.other ?? from
    to.data.waiting.push(Uint8Array.from(bytes))
    if (from.data.other) flush(to)
  }

  function flush(to: Socket<Side>): void {
    if (frozen || to.data.stranded || !to.data.other) return
    for (let next = to.data.waiting[0]; next !== undefined; next = to.data.waiting[0]) {
      const written = to.write(next)
      if (written < next.length) {
        to.data.waiting[0] = next.subarray(Math.max(0, written))
        return
      }
      to.data.waiting.shift()
    }
  }

  function end(side: Socket<Side>): void {
    sides.delete(side)
    side.data.other?.end()
  }
}
