import { type ClientSocket, openClientSocket, SocketFailure } from '#lib/client-socket'
import { type Attempt, UpstreamFailure } from '#lib/upstream'
import { clientLeft } from './refusal.ts'

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
}): ClientSocket {
  const { socket, handshake } = openClientSocket(url, headers)
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<typeof handshake>>()
  attempt.onCut = (failure) => {
    reject(failure)
    socket.terminate()
  }
  request.signal.addEventListener('abort', () => {
    // Later the socket itself says so, and how.
    if (attempt.state === 'asking') attempt.cut(clientLeft())
  })
  handshake.then(resolve, (error: unknown) => reject(failureOf(error, attempt)))
  return { socket, handshake: promise }
}

function failureOf(error: unknown, { origin }: Attempt): UpstreamFailure {
  const code = error instanceof SocketFailure ? error.code : 'handshake-failed'
  const text = /CERT|SIGNED|TLS|SSL/i.test(code)
    ? `The certificate of ${origin} does not verify: ${code}`
    : `No WebSocket to ${origin}: ${code}`
  return new UpstreamFailure('unreachable', code, text)
}
