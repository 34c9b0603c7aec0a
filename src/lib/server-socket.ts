import type { ServerWebSocket } from 'bun'

/** What a WebSocket's `data` must be, as Elysia's handlers call it; a bare `Bun.serve` needs handlers that do so. */
export type SocketData = {
  open(socket: ServerWebSocket<SocketData>): void
  message(socket: ServerWebSocket<SocketData>, message: string | Buffer): void
  /** In place of `message` where that is over the listener's limit; absent: the connection ends with 1009. */
  tooLong?(socket: ServerWebSocket<SocketData>): void
  drain(socket: ServerWebSocket<SocketData>): void
  close(socket: ServerWebSocket<SocketData>, code: number, reason: string): void
  /** The payload is there where the listener passes it on. */
  ping?(socket: ServerWebSocket<SocketData>, payload?: Buffer): void
}

export type UpgradeServer = {
  upgrade(request: Request, options: { headers: Headers; data: SocketData }): boolean
}

/** Past this much that a side has not taken, the other side is not read. */
export const bufferedBytes = 1024 * 1024

/** Has a message more bytes than that? A unit of a string's length takes three at most. */
export function isLonger(message: string | Buffer, bytes: number): boolean {
  if (message.length > bytes) return true
  return typeof message === 'string' && message.length * 3 > bytes && Buffer.byteLength(message) > bytes
}

export function isWebSocket(headers: Headers): boolean {
  const upgrade = headers.get('upgrade')
  return upgrade !== null && upgrade.toLowerCase() === 'websocket'
}

/** Of a peer's answer to an upgrade, what may be passed on: the rest is made anew for each connection. */
export function passedOn(answer: Headers): Headers {
  const headers = new Headers(answer)
  for (const name of perHandshake) headers.delete(name)
  return headers
}

/** A client that sends faster than the peer takes waits. There is no event for it on the peer's side. */
export function holdBack(client: ServerWebSocket<SocketData>, peer: WebSocket, over: () => boolean): void {
  client.pause()
  const timer = setInterval(() => {
    if (!over() && peer.bufferedAmount > bufferedBytes / 2) return
    clearInterval(timer)
    client.resume()
  }, 10)
}

const perHandshake = [
  ...['connection', 'upgrade', 'sec-websocket-accept', 'sec-websocket-extensions', 'sec-websocket-protocol'],
  ...['content-length', 'transfer-encoding', 'keep-alive'],
]
