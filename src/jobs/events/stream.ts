import type postgres from 'postgres'
import { SluiceError } from '#lib/errors'
import { isEnded } from '../states.ts'
import type { Hub } from './hub.ts'
import { type JobEvent, readEvents, readStory } from './read.ts'

export type EventStreamOptions = {
  read: <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>
  hub: Hub
  id: string
  tenant: string | null
  /** The last event that a client saw before its connection broke. */
  lastEventId: string | null
  /** Throws once the client's key is no longer good for this. */
  check: () => void
  /** @default 10_000 */
  heartbeatMs?: number
}

export const eventHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Proxies in front (nginx) must not collect events.
  'x-accel-buffering': 'no',
}
const reconnectMs = 2_000

/**
 * What happened to a job so far, and what happens until it ends: events `state`, `progress` and `log`, numbered, and
 * last `end`. Each comes once and in order; a client that comes back with `Last-Event-ID` goes on after it, and gets
 * 204 where nothing is left.
 * @throws SluiceError 404; 503 where this gateway follows too many
 */
export async function eventStream(options: EventStreamOptions): Promise<Response> {
  const { read, hub, id, tenant, check, heartbeatMs = 10_000 } = options
  const story = await read((sql) => readStory(sql, id, tenant))
  if (story === null) throw new SluiceError(404, 'not-found', 'There is no such job')
  const seen = /^\d{1,9}$/.test(options.lastEventId ?? '') ? Number(options.lastEventId) : -1
  if (isEnded(story.state) && seen >= story.version) return new Response(null, { status: 204 })

  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let heartbeat: Timer | null = null
  let leave = () => {}
  let last = seen
  let pumping = false
  let again = false
  let doubted = false

  // Before the answer has begun: a gateway that is full says so by its status.
  leave = hub.follow(id, {
    onChange: () => void pump(),
    onEnd: () => finish('closed', { reason: 'gateway-stops' }),
  })
  const body = new ReadableStream<Uint8Array>(
    {
      start(opened) {
        controller = opened
        send(`retry: ${reconnectMs}\n\n`)
        if (seen < 0) tell(story.first)
        heartbeat = setInterval(() => stillAllowed() && send(': still here\n\n'), heartbeatMs)
        void pump()
      },
      pull: () => void pump(),
      cancel: stop,
    },
    { highWaterMark: 16 },
  )
  return new Response(body, { headers: eventHeaders })

  /** Reads on while there is more and the client keeps up. */
  async function pump(): Promise<void> {
    again = true
    if (pumping) return
    pumping = true
    try {
      while (again && controller !== null && (controller.desiredSize ?? 0) > 0) {
        again = false
        const events = await read((sql) => readEvents(sql, id, last))
        for (const event of events) tell(event)
        if (events.length > 0) again = true
        else if (isEnded((await read((sql) => readStory(sql, id, tenant)))?.state ?? '')) await conclude()
      }
    } catch {
      // The next change, or the look of the next second, brings it.
    } finally {
      pumping = false
    }
  }

  /** It has ended, and all was told but what came between the two looks. */
  async function conclude(): Promise<void> {
    const story = await read((sql) => readStory(sql, id, tenant))
    if (story !== null && (last >= story.version || doubted)) finish('end', { state: story.state })
    doubted = true
    again = true
  }

  function tell({ n, kind, at, data }: JobEvent): void {
    last = n
    send(`id: ${n}\nevent: ${kind}\ndata: ${JSON.stringify({ ...data, at })}\n\n`)
  }

  function send(text: string): void {
    controller?.enqueue(encoder.encode(text))
  }

  function finish(event: string, data: unknown): void {
    const ending = controller
    stop()
    ending?.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
    ending?.close()
  }

  function stop(): void {
    controller = null
    if (heartbeat !== null) clearInterval(heartbeat)
    leave()
  }

  function stillAllowed(): boolean {
    try {
      check()
      return true
    } catch (error) {
      finish('closed', { reason: error instanceof SluiceError ? error.code : 'internal' })
      return false
    }
  }
}
