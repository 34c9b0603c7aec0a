import type { Heartbeat } from './heartbeat.ts'

/** One HTTP response that is a stream of events. */
export type SseStream = {
  response: Response
  send(text: string): void
  /** After what was sent. */
  end(): void
  /** At once. */
  cut(): void
  isOpen(): boolean
}

export type SseLimits = {
  /** Where more than this waits for the client, what comes next cuts it off. @default 4 MiB */
  queueBytes?: number
  /** A client that takes nothing for so long is cut off. @default 30_000 */
  writeTimeoutMs?: number
  /** Silence after which a comment shows that we live. @default 10_000 */
  keepAliveMs?: number
}

export type SseOptions = SseLimits & {
  heartbeat: Heartbeat
  headers?: Record<string, string>
  /** What it begins with. Held before there was a reader, so it counts for nothing and cannot cut it off. */
  first?: string
  /** The client hung up, or was cut off. Not after `end`. */
  onGone(): void
  /** However it is over. Once. */
  onOver?(): void
}

const encoder = new TextEncoder()

/**
 * Text goes out as the client takes it; what it does not take waits here, up to a limit, so that a client that is
 * stuck costs that much memory for that long, and nobody else anything.
 */
export function openSse({
  heartbeat,
  headers,
  first = '',
  onGone,
  onOver,
  ...limits
}: SseOptions): SseStream {
  const { queueBytes = 4 * 1024 * 1024, writeTimeoutMs = 30_000, keepAliveMs = 10_000 } = limits
  let state: 'open' | 'ending' | 'closed' = 'open'
  let queue: string[] = first === '' ? [] : [first]
  let queued = 0
  let tookAt = performance.now()
  let wake: (() => void) | null = null
  const removeBeat = heartbeat.add(beat)
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null

  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      async pull(given) {
        while (queue.length === 0 && state === 'open')
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        wake = null
        if (state === 'closed') return
        if (queue.length === 0) return close(given)
        const text = queue.join('')
        queue = []
        queued = 0
        tookAt = performance.now()
        given.enqueue(encoder.encode(text))
      },
      cancel: gone,
    },
    { highWaterMark: 0 },
  )

  return {
    response: new Response(body, { headers: { ...headers, ...sseHeaders } }),
    send,
    end() {
      if (state === 'open') state = 'ending'
      wake?.()
    },
    cut,
    isOpen: () => state === 'open',
  }

  function send(text: string): void {
    if (state !== 'open') return
    // What already waits counts, not what comes: else one event larger than the limit would cut off every client.
    if (queued > queueBytes) {
      cut()
      return
    }
    if (queue.length === 0) tookAt = performance.now()
    queue.push(text)
    queued += text.length
    wake?.()
  }

  function beat(now: number): void {
    const silent = now - tookAt
    if (queue.length > 0 && silent > writeTimeoutMs) cut()
    else if (queue.length === 0 && silent >= keepAliveMs - 100) send(': keep-alive\n\n')
  }

  function close(given: ReadableStreamDefaultController<Uint8Array>): void {
    settle()
    given.close()
  }

  function cut(): void {
    if (state === 'closed') return
    const wasOpen = state === 'open'
    settle()
    controller?.error(new Error('The client takes nothing'))
    if (wasOpen) onGone()
  }

  function gone(): void {
    if (state === 'closed') return
    const wasOpen = state === 'open'
    settle()
    if (wasOpen) onGone()
  }

  function settle(): void {
    state = 'closed'
    queue = []
    removeBeat()
    wake?.()
    onOver?.()
  }
}

const sseHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  // Proxies such as nginx would hold events back.
  'x-accel-buffering': 'no',
}

/** One event. `id` is what the client shows to go on after it. */
export function sseEvent(data: string, id: string | null = null, event: string | null = 'message'): string {
  return `${id === null ? '' : `id: ${id}\n`}${event === null ? '' : `event: ${event}\n`}data: ${data}\n\n`
}
