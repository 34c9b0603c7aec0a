import type { ServerWebSocket } from 'bun'
import { dropSetSession } from '#access'
import type { ExchangeOpen } from '#capture'
import { closeAlike } from '#lib/client-socket'
import { SluiceError } from '#lib/errors'
import { bufferedBytes, holdBack, passedOn, type SocketData, type UpgradeServer } from '#lib/server-socket'
import type { Attempt, UpstreamFailure } from '#lib/upstream'
import type { Call } from './call.ts'
import { recordable } from './headers.ts'
import { endOf } from './refusal.ts'
import { Turns } from './turns.ts'
import { openUpstreamSocket } from './upstream-socket.ts'

export type TunnelOptions = {
  request: Request
  server: UpgradeServer | null
  /** Of the upstream, with `http:` or `https:`. */
  url: string
  headers: Headers
  exchange: ExchangeOpen
  attempt: Attempt
  /** @throws SpoolFullError */
  begin: (exchange: ExchangeOpen) => Call
}

/**
 * Joins the client's WebSocket to one of the upstream's. The client is upgraded only when the upstream was; what
 * the upstream refuses, the client sees refused, at once and as it was.
 * @throws UpstreamFailure where there is no connection
 */
export async function tunnel(options: TunnelOptions): Promise<Response> {
  const { request, server, exchange, attempt, begin } = options
  if (server === null) throw new SluiceError(400, 'no-websocket', 'A WebSocket cannot be opened here')
  const upstream = openUpstreamSocket(options)
  const shake = await upstream.handshake
  const headers = passedOn(shake.headers)
  if (shake.status !== 101) return await refused(shake, { headers, call: begin(exchange), attempt })

  attempt.touch('answered')
  attempt.activeAt = Number.POSITIVE_INFINITY
  const turns = new Turns({ first: exchange, headers: recordable(headers), begin })
  dropSetSession(headers)
  headers.set('sluice-exchange', exchange.id)
  const protocol = shake.headers.get('sec-websocket-protocol')
  if (protocol !== null) headers.set('sec-websocket-protocol', protocol)
  const data = join(upstream.socket, { turns, attempt })
  if (server.upgrade(request, { headers, data })) return new Response(null)
  upstream.socket.terminate()
  attempt.end()
  await turns.close('client_gone', null)
  return new Response(null, { status: 400 })
}

async function refused(
  { status, body }: { status: number; body: Uint8Array<ArrayBuffer> },
  { headers, call, attempt }: { headers: Headers; call: Call; attempt: Attempt },
): Promise<Response> {
  attempt.end()
  call.answered(status, recordable(headers))
  call.response(body)
  await call.end('completed')
  dropSetSession(headers)
  headers.set('sluice-exchange', call.id)
  return new Response(body, { status, headers })
}

/** Both directions, with backpressure, until either side closes; then the other is closed in the same way. */
function join(upstream: WebSocket, { turns, attempt }: { turns: Turns; attempt: Attempt }): SocketData {
  let client: ServerWebSocket<SocketData> | null = null
  let over = false
  let sealing: Promise<void> | null = null

  attempt.onCut = (failure) => end(failure, () => client?.close(1012, failure.message))
  upstream.onmessage = ({ data }: MessageEvent<string | Buffer>) => {
    if (sealing === null) toClient(data)
    else sealing = sealing.then(() => toClient(data))
  }
  upstream.onclose = ({ code, reason }) => {
    const close = () => {
      if (code === 1006) client?.terminate()
      else client?.close(code, reason)
    }
    if (code === 1000 || code === 1005 || !turns.waiting) finish('completed', null, close)
    else finish('upstream_gone', `closed-${code}`, close)
  }

  return {
    open(socket) {
      client = socket
      upstream.resume()
    },
    message(socket, message) {
      if (over) return
      guarded(() => turns.fromClient(message))
      if (over) return
      if (turns.waiting) attempt.activeAt = performance.now()
      upstream.send(message)
      if (upstream.bufferedAmount > bufferedBytes) holdBack(socket, upstream, () => over)
    },
    drain: () => void upstream.resume(),
    close(_, code, reason) {
      const outcome = code === 1006 || turns.waiting ? 'client_gone' : 'completed'
      finish(outcome, null, () => closeAlike(upstream, code, reason))
    },
  }

  function toClient(data: string | Buffer): void {
    if (over || client === null) return
    attempt.activeAt = performance.now()
    const sealed = guarded(() => turns.fromServer(data))
    const send = () => {
      if (!turns.waiting) attempt.activeAt = Number.POSITIVE_INFINITY
      client?.send(data)
      if ((client?.getBufferedAmount() ?? 0) > bufferedBytes) upstream.pause()
      sealing = null
    }
    if (sealed instanceof Promise) sealing = sealed.then(send, (error) => spoolFull(error))
    else if (!over) send()
  }

  function guarded(work: () => void | Promise<void>): void | Promise<void> {
    try {
      return work()
    } catch (error) {
      spoolFull(error)
    }
  }

  function spoolFull(error: unknown): void {
    if (over) return
    over = true
    attempt.end()
    upstream.close()
    client?.close(1013, error instanceof SluiceError ? error.message : 'The exchange could not be recorded')
  }

  function end(failure: UpstreamFailure, close: () => void): void {
    finish(endOf(failure).outcome, failure.reason, close)
    upstream.terminate()
  }

  function finish(outcome: Parameters<Turns['close']>[0], reason: string | null, close: () => void): void {
    if (over) return
    over = true
    attempt.end()
    const sealed = guarded(() => turns.close(outcome, reason))
    if (sealed instanceof Promise) void sealed.then(close, close)
    else close()
  }
}
