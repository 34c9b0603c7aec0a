import type { Dialect } from '../../dialects/dialect.ts'
import type { Directives } from './directives.ts'

const encoder = new TextEncoder()

/** One frame of a stream. */
export function frame(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}

/** Sends frames one by one, with the delay and the fate that the directives ask for. */
export function streamReply(frames: readonly string[], { delayMs, cut }: Directives): Response {
  const last = cut ? Math.ceil(frames.length / 2) : frames.length
  let next = 0
  let gone = false
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (delayMs > 0) await Bun.sleep(delayMs)
      if (gone) return
      const text = frames[next] ?? ''
      next += 1
      if (cut && next > last) {
        // What was sent must be out before the connection goes; an error without a reason stays off the log.
        await Bun.sleep(15)
        controller.error()
        return
      }
      // The last frame before a cut is cut itself, as it is when a server dies.
      controller.enqueue(encoder.encode(cut && next === last ? text.slice(0, text.length / 2) : text))
      if (!cut && next === last) controller.close()
    },
    cancel() {
      gone = true
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}

export async function jsonReply(body: unknown, { delayMs }: Partial<Directives> = {}): Promise<Response> {
  if (delayMs) await Bun.sleep(delayMs)
  return Response.json(body)
}

/** An error as the real API would answer it. */
export function errorReply(dialect: Dialect, status: number, message: string): Response {
  const code = codes[status] ?? (status < 500 ? 'invalid-request' : 'server-error')
  const headers = status === 429 || status === 529 ? { 'retry-after': '1' } : undefined
  return Response.json(dialect.errorBody({ status, code, message }), { status, ...(headers && { headers }) })
}

const codes: Record<number, string> = {
  401: 'invalid-api-key',
  404: 'not-found',
  429: 'rate-limit-exceeded',
  529: 'overloaded',
}
