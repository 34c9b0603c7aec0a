import { type Attempt, UpstreamFailure } from '#lib/upstream'
import { clientLeft } from './refusal.ts'

export type Handshake = { status: number; headers: Headers; body: Uint8Array<ArrayBuffer> }

export type UpstreamSocket = {
  /** Not read before it is resumed. */
  socket: WebSocket
  /** The upstream's answer to the upgrade, whatever it is. Rejects with UpstreamFailure where none came. */
  handshake: Promise<Handshake>
}

/** Opens a WebSocket at the upstream with the headers of the client's own request for one. */
export function openUpstreamSocket({
  request,
  url,
  headers,
  attempt,
}: {
  request: Request
  url: string
  headers: Headers
  attempt: Attempt
}): UpstreamSocket {
  const protocols = words(headers.get('sec-websocket-protocol'))
  const deflate = headers.get('sec-websocket-extensions')?.includes('permessage-deflate') ?? false
  const onward = new Headers(headers)
  for (const name of ownOfSocket) onward.delete(name)
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    protocols,
    headers: onward,
    perMessageDeflate: deflate,
  })
  socket.pause()
  const { promise, resolve, reject } = Promise.withResolvers<Handshake>()
  const giveUp = (failure: UpstreamFailure) => {
    reject(failure)
    socket.terminate()
  }
  let answer: Handshake | null = null
  attempt.onCut = giveUp
  request.signal.addEventListener('abort', () => {
    // Later the socket itself says so, and how.
    if (attempt.state === 'asking') attempt.cut(clientLeft())
  })
  // Not in Bun's documentation, but what its own `ws` module is built on: the only way to see the head.
  socket.addEventListener('handshake', (event) => {
    answer = readHandshake((event as MessageEvent).data)
    if (answer !== null && answer.status !== 101) resolve(answer)
  })
  socket.onopen = () => resolve(answer ?? { status: 101, headers: new Headers(), body: new Uint8Array() })
  socket.onerror = (event) => reject(failureOf(event, attempt))
  return { socket, handshake: promise }
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

function failureOf(event: Event, { origin }: Attempt): UpstreamFailure {
  const { error, message } = event as ErrorEvent
  const code: string = error?.code ?? /status code: (\d{3})/.exec(message)?.[1] ?? 'handshake-failed'
  const text = /CERT|SIGNED|TLS|SSL/i.test(code)
    ? `The certificate of ${origin} does not verify: ${code}`
    : `No WebSocket to ${origin}: ${code}`
  return new UpstreamFailure('unreachable', code, text)
}
