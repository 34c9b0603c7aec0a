import { dropSetSession, type Principal } from '#access'
import type { Outcome } from '#capture'
import { type ClientSocket, openClientSocket, SocketFailure } from '#lib/client-socket'
import { isCredential } from '#lib/credentials'
import { SluiceError } from '#lib/errors'
import { dropHopByHop } from '#lib/hop-by-hop'
import { isWebSocket, passedOn, type UpgradeServer } from '#lib/server-socket'
import type { HopOpen, Recorder } from '../record/recorder.ts'
import { addressBook } from '../upstream/http/address.ts'
import { FrameLog } from './frame-log.ts'
import { type Joined, join } from './join.ts'

/** A server of which a row says `spy`. */
export type SpyBackend = { name: string; url: string; headers: Readonly<Record<string, string>> }

export type SpyOptions = {
  recorder: Recorder
  /** May a backend be on this machine or its network? */
  allowPrivate: boolean
  /** Until a backend has answered the upgrade. @default 15_000 */
  connectMs?: number
  /** A backend that is silent for so long is pinged, and given up after three times that. @default 30_000 */
  silentMs?: number
  /** Frames that belong to no call can be read after so long at most. @default 15_000 */
  pieceMs?: number
}

/** Told of a connection under way how it is ended; what it returns is called at its end. */
export type Hold = (end: () => void) => () => void

export type Spy = {
  /**
   * Joins a client to one backend, and puts every frame on record. The client is upgraded only when the backend was;
   * what the backend refuses, the client sees refused. Whoever calls has authenticated the client before.
   * @throws SluiceError 426 where it is no WebSocket; 502, 504 where the backend is not there; 503 where nothing can
   *   be recorded
   */
  handle(
    request: Request,
    target: { server: UpgradeServer | null; principal: Principal; backend: SpyBackend; hold?: Hold },
  ): Promise<Response>
  /** Connections under way. */
  count(): number
  /** Ends them all, with 1012. */
  close(): void
}

export function openSpy(options: SpyOptions): Spy {
  const { recorder, allowPrivate, connectMs = 15_000, silentMs = 30_000, pieceMs = 15_000 } = options
  const locate = addressBook(allowPrivate)
  const connections = new Set<Joined>()
  const timer = setInterval(() => {
    for (const connection of connections) connection.tick({ silentMs, pieceMs })
  }, Math.min(silentMs, pieceMs) / 3)
  timer.unref()

  return {
    async handle(request, { server, principal, backend, hold = () => () => {} }) {
      if (server === null || !isWebSocket(request.headers)) {
        const headers = { upgrade: 'websocket', connection: 'upgrade' }
        throw new SluiceError(426, 'websocket-needed', `${backend.name} is spied on: open a WebSocket`, {
          headers,
        })
      }
      const log = new FrameLog(recorder, hopOf(request, principal, backend))
      try {
        const { socket, handshake } = await connect(request, backend)
        const headers = passedOn(handshake.headers)
        dropSetSession(headers)
        headers.set('sluice-exchange', log.id)
        if (handshake.status !== 101) {
          await log.close(ended('upstream_error', `HTTP ${handshake.status}`))
          return new Response(handshake.body, { status: handshake.status, headers })
        }
        const protocol = handshake.headers.get('sec-websocket-protocol')
        if (protocol !== null) headers.set('sec-websocket-protocol', protocol)
        const joined = join(socket, log, () => {
          connections.delete(joined)
          release()
        })
        const release = hold(() => joined.stop(1008, 'The key is valid no more'))
        connections.add(joined)
        if (server.upgrade(request, { headers, data: joined.data })) return new Response(null)
        joined.stop(1001, '')
        return new Response(null, { status: 400 })
      } catch (error) {
        const failure = failureOf(error, backend.name)
        await log.close(ended('upstream_unreachable', failure.code))
        throw failure
      }
    },
    count: () => connections.size,
    close() {
      clearInterval(timer)
      for (const connection of connections) connection.stop(1012, 'The gateway stops')
    },
  }

  async function connect(request: Request, { url, headers }: SpyBackend) {
    const address = await locate(url)
    const onward = onwardHeaders(request.headers, headers)
    if (address.host !== null) onward.set('host', address.host)
    const { socket, handshake } = openClientSocket(address.url.href, onward, {
      serverName: address.serverName,
    })
    return { socket, handshake: await inTime(socket, handshake, request.signal) }
  }

  async function inTime(socket: WebSocket, handshake: ClientSocket['handshake'], signal: AbortSignal) {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timeout = setTimeout(() => reject(new SocketFailure('timeout')), connectMs)
    const leave = () => reject(new SocketFailure('client-left'))
    signal.addEventListener('abort', leave)
    try {
      return await Promise.race([handshake, late])
    } catch (error) {
      handshake.catch(() => {})
      socket.terminate()
      throw error
    } finally {
      clearTimeout(timeout)
      signal.removeEventListener('abort', leave)
    }
  }
}

/** The client's own, but for its credentials, which are ours; and those that the backend's row has. */
function onwardHeaders(sent: Headers, own: SpyBackend['headers']): Headers {
  const onward = new Headers(sent)
  dropHopByHop(onward)
  for (const name of [...onward.keys()]) {
    if (isCredential(name) || name.startsWith('sluice-')) onward.delete(name)
  }
  onward.delete('host')
  for (const [name, value] of Object.entries(own)) onward.set(name, value)
  return onward
}

function hopOf(request: Request, principal: Principal, { name }: SpyBackend): HopOpen {
  const { pathname, search } = new URL(request.url)
  return {
    ...{ hop: 'client', parent: null, transport: 'websocket', method: 'GET', path: pathname + search },
    headers: [...request.headers],
    ...{ tenant: principal.tenant, keyId: principal.keyId, mode: principal.capture, tags: principal.tags },
    ...{ peer: name, rpc: null, name: null, session: null, toolUse: null },
  }
}

function ended(outcome: Outcome, error: string) {
  return { outcome, unanswered: outcome, error }
}

function failureOf(error: unknown, name: string): SluiceError {
  if (error instanceof SluiceError) return error
  const code = error instanceof SocketFailure ? error.code : ''
  if (code === 'timeout') return new SluiceError(504, 'backend-timeout', `${name} did not answer in time`)
  const why = error instanceof Error ? error.message : 'unknown'
  return new SluiceError(502, 'backend-unreachable', `${name} cannot be reached: ${why}`, { cause: error })
}
