/**
 * The upstream of every benchmark, alone in its process: as fast as Bun can answer, so that what is measured is
 * what stands before it.
 *
 * `POST /v1/messages` answers 400 bytes in Anthropic's shape. `POST /v1/chat/completions` answers 400 bytes of JSON;
 * with `x-bench-bytes: N`, N bytes; with `x-bench-frames: N` a stream of N frames, each `x-bench-frame-ms` apart and
 * carrying the time it was sent, which with `x-bench-break: 1` breaks off. `x-bench-status: N` is answered with that.
 */
import { completion, frame, message } from './payloads.ts'

const small = completion(200)
const smallMessage = message(200)
const json = { headers: { 'content-type': 'application/json' } }
const encoder = new TextEncoder()

const server = Bun.serve({
  port: Number(process.argv[2] ?? 0),
  hostname: '127.0.0.1',
  idleTimeout: 0,
  maxRequestBodySize: 1024 ** 3,
  // Of streams that are to break off: nothing that anybody should read.
  error: () => new Response(null, { status: 500 }),
  async fetch(request) {
    const frames = Number(request.headers.get('x-bench-frames') ?? 0)
    if (frames > 0) {
      return stream(frames, Number(request.headers.get('x-bench-frame-ms') ?? 0), request)
    }
    await request.arrayBuffer()
    const status = request.headers.get('x-bench-status')
    if (status !== null)
      return Response.json({ error: { message: 'As asked for' } }, { status: Number(status) })
    const bytes = Number(request.headers.get('x-bench-bytes') ?? 0)
    if (request.url.endsWith('/v1/messages')) return new Response(smallMessage, json)
    return new Response(bytes > 0 ? completion(bytes) : small, json)
  },
})
console.log(server.port)

function stream(frames: number, everyMs: number, { signal, headers }: Request): Response {
  const body = new ReadableStream({
    async start(controller) {
      for (let n = 0; n < frames && !signal.aborted; n++) {
        controller.enqueue(encoder.encode(frame(n, performance.timeOrigin + performance.now())))
        if (everyMs > 0) await Bun.sleep(everyMs)
      }
      if (signal.aborted) return
      if (headers.has('x-bench-break')) return controller.error(new Error('broken off, as asked for'))
      controller.enqueue(encoder.encode('data: [DONE]\n\n'))
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}
