import type { ServerWebSocket } from 'bun'
import { closeAlike } from '#lib/client-socket'
import { SluiceError } from '#lib/errors'
import { bufferedBytes, holdBack, type SocketData } from '#lib/server-socket'
import type { Direction, Ending, FrameLog, SpiedFrame } from './frame-log.ts'

/** A connection under way. */
export type Joined = {
  data: SocketData
  /** Looks after it, every few seconds: pings a backend that says nothing, and gives up one that does not answer. */
  tick(limits: { silentMs: number; pieceMs: number }): void
  /** Ends both sides. */
  stop(code: number, reason: string): void
}

/**
 * Both directions, as they are and in their order, with backpressure, until either side closes; then the other is
 * closed in the same way. What a side sends is on record before the other gets it.
 */
export function join(backend: WebSocket, log: FrameLog, onEnd: () => void): Joined {
  let client: ServerWebSocket<SocketData> | null = null
  let over = false
  let paused = true
  let heardAt = performance.now()
  /** While a record waits for room on the disk, what comes behind it waits too. */
  let passing: Promise<void> | null = null

  backend.onmessage = ({ data }: MessageEvent<string | Buffer>) => {
    heardAt = performance.now()
    pass('server', frameOf(data), () => {
      client?.send(data)
      if ((client?.getBufferedAmount() ?? 0) > bufferedBytes) pause()
    })
  }
  onPing(backend, (payload) =>
    pass('server', { ping: payload.toString('base64') }, () => client?.ping(payload)),
  )
  backend.addEventListener('pong' as 'message', () => {
    heardAt = performance.now()
  })
  backend.onclose = ({ code, reason }) => {
    const ending =
      code === 1006 ? gone(`closed-${code}`) : { ...completed, unanswered: 'upstream_gone' as const }
    pass('server', { close: code, reason }, () => {
      finish(ending, () => (code === 1006 ? client?.terminate() : closeClient(code, reason)))
    })
  }

  return {
    data: {
      open(socket) {
        client = socket
        resume()
      },
      message(socket, message) {
        pass('client', frameOf(message), () => {
          backend.send(message)
          if (backend.bufferedAmount > bufferedBytes) holdBack(socket, backend, () => over)
        })
      },
      drain: () => resume(),
      ping(_, payload = Buffer.alloc(0)) {
        pass('client', { ping: payload.toString('base64') }, () => backend.ping(payload))
      },
      close(_, code, reason) {
        const left = { outcome: 'client_gone', unanswered: 'client_gone', error: null } as const
        const ending = code === 1006 ? left : { ...completed, unanswered: 'client_gone' as const }
        pass('client', { close: code, reason }, () => finish(ending, () => closeAlike(backend, code, reason)))
      },
    },
    tick({ silentMs, pieceMs }) {
      if (over) return
      guarded(() => log.cut(pieceMs))
      const silent = performance.now() - heardAt
      if (paused || silent < silentMs) return
      if (silent < 3 * silentMs) backend.ping()
      else
        finish({ ...gone('silent'), outcome: 'upstream_timeout' }, () =>
          cut(1011, 'The server does not answer'),
        )
    },
    stop: (code, reason) => finish(gone('gateway-stopped'), () => cut(code, reason)),
  }

  function pass(from: Direction, frame: SpiedFrame, go: () => void): void {
    if (over) return
    const recorded = passing === null ? record(from, frame, go) : passing.then(() => record(from, frame, go))
    if (recorded === undefined) return
    client?.pause()
    pause()
    const waiting = recorded.finally(() => {
      if (passing !== waiting) return
      passing = null
      client?.resume()
      resume()
    })
    passing = waiting
  }

  function record(from: Direction, frame: SpiedFrame, go: () => void): void | Promise<void> {
    if (over) return
    const done = guarded(() => log.add(from, frame))
    if (done === undefined) {
      if (!over) go()
      return
    }
    return done.then(() => {
      if (!over) go()
    })
  }

  function guarded(work: () => void | Promise<void>): void | Promise<void> {
    try {
      return work()?.catch(unrecorded)
    } catch (error) {
      unrecorded(error)
    }
  }

  function unrecorded(error: unknown): void {
    const reason = error instanceof SluiceError ? error.code : 'not-recorded'
    finish(gone(reason), () => cut(1013, 'The connection could not be recorded'))
  }

  function cut(code: number, reason: string): void {
    client?.close(code, reason)
    backend.terminate()
  }

  /** Where no code came there is none to pass on. */
  function closeClient(code: number, reason: string): void {
    if (code === 1005) client?.close()
    else client?.close(code, reason)
  }

  function finish(ending: Ending, close: () => void): void {
    if (over) return
    over = true
    void log
      .close(ending)
      .catch(() => {})
      .then(close)
      .finally(onEnd)
  }

  function pause(): void {
    paused = true
    backend.pause()
  }

  function resume(): void {
    paused = false
    heardAt = performance.now()
    backend.resume()
  }
}

const completed = { outcome: 'completed', error: null } as const

function gone(error: string): Ending {
  return { outcome: 'upstream_gone', unanswered: 'upstream_gone', error }
}

function frameOf(data: string | Buffer): SpiedFrame {
  return typeof data === 'string' ? { text: data } : { base64: data.toString('base64') }
}

function onPing(socket: WebSocket, listener: (payload: Buffer) => void): void {
  socket.addEventListener('ping' as 'message', ({ data }: MessageEvent) => listener(Buffer.from(data ?? [])))
}
