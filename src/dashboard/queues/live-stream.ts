import { SluiceError } from '#lib/errors'
import type { Live } from './live.ts'

const heartbeatMs = 10_000

/**
 * The board as server-sent events: `board` at once and with each look, `closed` with the reason before the gateway
 * ends the stream. A reader too slow for one gets the next: what counts is what is now.
 */
export async function liveStream(
  live: Live,
  { tenant, check }: { tenant: string | null; check: () => void },
) {
  const encoder = new TextEncoder()
  const first = JSON.stringify(await live.now(tenant))
  let heartbeat: Timer | null = null
  let leave = () => {}
  const stop = () => {
    if (heartbeat !== null) clearInterval(heartbeat)
    leave()
  }

  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const send = (text: string) => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text))
        }
        const end = (reason: string) => {
          stop()
          controller.enqueue(encoder.encode(event('closed', JSON.stringify({ reason }))))
          controller.close()
        }
        const allowed = () => {
          try {
            check()
            return true
          } catch (error) {
            end(error instanceof SluiceError ? error.code : 'internal')
            return false
          }
        }
        controller.enqueue(encoder.encode(`retry: 2000\n${event('board', first)}`))
        leave = live.follow(tenant, {
          onBoard: (json) => {
            if (allowed()) send(event('board', json))
          },
          onEnd: () => end('gateway-stops'),
        })
        heartbeat = setInterval(() => {
          if (allowed()) send(': still here\n\n')
        }, heartbeatMs)
      },
      cancel: stop,
    },
    { highWaterMark: 4 },
  )
  return new Response(body, { headers })
}

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
