import { SluiceError } from '#lib/errors'
import type { ExchangeFilters } from './exchange-filters.ts'
import { type ExchangeItem, exchangeItem, matches } from './exchange-item.ts'
import type { Reading } from './reading.ts'
import { endedSince, lateMs } from './tail.ts'

export type TailStreamOptions = {
  reading: Reading
  filters: ExchangeFilters
  /** The last event that a client saw before its connection broke. */
  lastEventId: string | null
  /** Throws once the client's key is no longer good for this. */
  check: () => void
  /** @default 10_000 */
  heartbeatMs?: number
  /** Events kept for a client that reads slower than they come. @default 1_000 */
  bufferedAtMost?: number
}

export const tailHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies in front (nginx) must not collect events.
  'x-accel-buffering': 'no',
}

const missedAtMost = 1_000
const reconnectMs = 2_000

/**
 * Exchanges as server-sent events, from now on or from `lastEventId` on. At least once: after a new connection those
 * of the last seconds may come again.
 *
 * `ready` comes first; `exchange` for each; `gap` where more was missed than is sent again; `closed` with the reason
 * before the gateway ends the stream.
 */
export async function tailStream(options: TailStreamOptions): Promise<Response> {
  const { reading, filters, check, heartbeatMs = 10_000, bufferedAtMost = 1_000 } = options
  const encoder = new TextEncoder()
  const waiting: string[] = []
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let heartbeat: Timer | null = null
  let leave = () => {}

  function send(text: string): void {
    if (controller === null) return
    if (waiting.length >= bufferedAtMost) {
      end('too-slow')
    } else {
      waiting.push(text)
      flush()
    }
  }

  function flush(): void {
    while (controller !== null && (controller.desiredSize ?? 0) > 0) {
      const text = waiting.shift()
      if (text === undefined) return
      controller.enqueue(encoder.encode(text))
    }
  }

  function end(reason: string): void {
    const ending = controller
    stop()
    ending?.enqueue(encoder.encode(event('closed', { reason })))
    ending?.close()
  }

  function stop(): void {
    controller = null
    waiting.length = 0
    if (heartbeat !== null) clearInterval(heartbeat)
    leave()
  }

  function onItems(items: readonly ExchangeItem[]): void {
    if (!stillAllowed()) return
    for (const item of items) if (matches(item, filters)) send(exchangeEvent(item))
  }

  function stillAllowed(): boolean {
    try {
      check()
      return true
    } catch (error) {
      end(error instanceof SluiceError ? error.code : 'internal')
      return false
    }
  }

  // What is stored while the past is read waits here, so that the past comes first.
  let early: ExchangeItem[] | null = []
  leave = await reading.tail.follow({
    onItems: (items) => (early === null ? onItems(items) : early.push(...items)),
    onEnd: () => end('gateway-stops'),
  })
  const missed = await missedBy(reading, options.lastEventId).catch((error: unknown) => {
    leave()
    throw error
  })

  const body = new ReadableStream<Uint8Array>(
    {
      start(opened) {
        controller = opened
        opened.enqueue(encoder.encode(`retry: ${reconnectMs}\n${event('ready', {})}`))
        if (missed.gap) send(event('gap', { reason: `more than ${missedAtMost} were missed: read the list` }))
        onItems(missed.items)
        const known = new Set(missed.items.map((item) => item.id))
        onItems((early ?? []).filter((item) => !known.has(item.id)))
        early = null
        heartbeat = setInterval(() => {
          if (stillAllowed() && waiting.length === 0) send(': still here\n\n')
        }, heartbeatMs)
      },
      pull: flush,
      cancel: stop,
    },
    { highWaterMark: 16 },
  )
  return new Response(body, { headers: tailHeaders })
}

/** The id of an event names the end of its exchange, which is where reading goes on. */
function exchangeEvent(item: ExchangeItem): string {
  return `id: ${Date.parse(item.ended_at)}_${item.id}\n${event('exchange', item)}`
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

async function missedBy(reading: Reading, lastEventId: string | null) {
  const [, ended, id] = /^(\d{10,15})_([0-9a-f-]{36})$/.exec(lastEventId ?? '') ?? []
  if (ended === undefined) return { items: [], gap: false }
  const rows = await endedSince(reading.read, { since: Number(ended) - lateMs, limit: missedAtMost + 1 })
  const items = rows.slice(-missedAtMost).map(exchangeItem)
  return { items: items.filter((item) => item.id !== id), gap: rows.length > missedAtMost }
}
