import { errorText, SluiceError } from '#lib/errors'
import type { Progress } from './perform.ts'
import type { Outcome } from './shapes.ts'

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

/** Behind what a client does not read, text is left out: it comes once more with the result. In characters. */
const mostWaiting = 1024 * 1024
const signOfLifeMs = 15_000

/**
 * Progress as server-sent events, each named by its type: `started`, `text`, `result`, `consensus`, `summary`, and at
 * the end `done` with the whole outcome, or `error`. A client that leaves cancels the work.
 */
export function progressStream(
  work: (options: { signal: AbortSignal; onProgress: (progress: Progress) => void }) => Promise<Outcome>,
  left: AbortSignal,
): Response {
  const leaving = new AbortController()
  const encoder = new TextEncoder()
  let heartbeat: Timer | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        let open = true
        const send = (text: string) => {
          if (open) controller.enqueue(encoder.encode(text))
        }
        const tell = (name: string, data: unknown) =>
          send(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
        const end = () => {
          clearInterval(heartbeat)
          if (open) controller.close()
          open = false
        }
        leaving.signal.addEventListener('abort', () => {
          clearInterval(heartbeat)
          open = false
        })
        heartbeat = setInterval(() => send(': waiting\n\n'), signOfLifeMs)
        work({
          signal: AbortSignal.any([leaving.signal, left]),
          onProgress({ type, ...data }) {
            if (type !== 'text' || (controller.desiredSize ?? 0) > -mostWaiting) tell(type, data)
          },
        })
          .then((outcome) => tell('done', outcome))
          .catch((error: unknown) => tell('error', problemOf(error)))
          .finally(end)
      },
      cancel: () => leaving.abort(),
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  )
  return new Response(body, { headers })
}

function problemOf(error: unknown): { code: string; message: string } {
  if (error instanceof SluiceError) return { code: error.code, message: errorText(error) }
  return { code: 'internal', message: 'The gateway failed to go on.' }
}
