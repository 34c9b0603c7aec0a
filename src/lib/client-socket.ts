/** A peer's answer to the request for an upgrade. */
export type Handshake = { status: number; headers: Headers; body: Uint8Array<ArrayBuffer> }

export type ClientSocket = {
  /** Not read before it is resumed. */
  socket: WebSocket
  /** The peer's answer, whatever it is. Rejects with SocketFailure where none came. */
  handshake: Promise<Handshake>
}

export class SocketFailure extends Error {
  override readonly name = 'SocketFailure'
  /** As in `ECONNREFUSED`, or a status. */
  readonly code: string

  constructor(code: string) {
    super(`No WebSocket: ${code}`)
    this.code = code
  }
}

/** Opens a WebSocket with the headers of somebody else's request for one, subprotocols among them. */
export function openClientSocket(
  url: string,
  headers: Headers,
  { serverName }: { serverName?: string | null } = {},
): ClientSocket {
  const protocols = words(headers.get('sec-websocket-protocol'))
  const deflate = headers.get('sec-websocket-extensions')?.includes('permessage-deflate') ?? false
  const onward = new Headers(headers)
  for (const name of ownOfSocket) onward.delete(name)
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    protocols,
    headers: onward,
    perMessageDeflate: deflate,
    ...(serverName ? { tls: { serverName } } : {}),
  })
  socket.pause()
  const { promise, resolve, reject } = Promise.withResolvers<Handshake>()
  let answer: Handshake | null = null
  // Not in Bun's documentation, but what its own `ws` module is built on: the only way to see the head.
  socket.addEventListener('handshake', (event) => {
    answer = readHandshake((event as MessageEvent).data)
    if (answer !== null && answer.status !== 101) resolve(answer)
  })
  socket.onopen = () => resolve(answer ?? { status: 101, headers: new Headers(), body: new Uint8Array() })
  socket.onerror = (event) => reject(failureOf(event))
  return { socket, handshake: promise }
}

/** Closes as the other side closed. A close frame may not carry the codes that stand for having seen none. */
export function closeAlike(socket: WebSocket, code: number, reason: string): void {
  if (code === 1006) socket.terminate()
  else if (code === 1005 || code < 1000 || (code > 1014 && code < 3000)) socket.close()
  else socket.close(code, reason)
}

/** What the WebSocket client makes itself. */
const ownOfSocket = [
  ...['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-protocol'],
  'content-length',
]

function words(list: string | null): string[] {
  return (list ?? '').split(',').flatMap((word) => word.trim() || [])
}

function readHandshake(data: unknown): Handshake | null {
  if (typeof data !== 'object' || data === null || !('statusCode' in data)) return null
  const { statusCode, rawHeaders, body } = data as { statusCode: number; rawHeaders: string[]; body: Buffer }
  const headers = new Headers()
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '')
  return { status: statusCode, headers, body: new Uint8Array(body ?? []) }
}

function failureOf(event: Event): SocketFailure {
  const { error, message } = event as ErrorEvent
  return new SocketFailure(error?.code ?? /status code: (\d{3})/.exec(message)?.[1] ?? 'handshake-failed')
}
