import { UpstreamFailure } from '#lib/upstream'
import type { Call } from '../call.ts'
import type { HeaderList } from '../headers.ts'
import { breakOff } from '../response-body.ts'
import type { CachedAnswer } from './flight.ts'
import { framesOf } from './frames.ts'
import { headerOf } from './whole.ts'

/**
 * A cached answer as it goes to the client, recorded like any other: a body at once, a stream frame by frame. Sealed
 * before the client can see its end. `marks` are headers of ours; `onEnd` is called with the last byte, for whoever
 * lifted a limit meanwhile.
 */
export function respondCached(
  { state, answer }: { state: 'hit' | 'shared'; answer: CachedAnswer },
  call: Call,
  { marks = {}, onEnd = () => {} }: { marks?: Readonly<Record<string, string>>; onEnd?: () => void } = {},
): Response | Promise<Response> {
  const { status, body, storedAt } = answer
  const age = Math.max(0, Math.floor((Date.now() - storedAt) / 1000))
  const headers: HeaderList = [...answer.headers, ['age', String(age)], ['sluice-cache', state]]
  call.cache = state
  call.answered(status, headers)
  const own: HeaderList = [['sluice-exchange', call.id], ...Object.entries(marks)]
  const init = { status, headers: [...headers, ...own] }
  if (body instanceof ReadableStream) return new Response(recorded(body.getReader(), call, onEnd), init)
  const isStream = headerOf(headers, 'content-type')?.startsWith('text/event-stream') ?? false
  if (isStream) return new Response(recorded(readerOf(framesOf(body)), call, onEnd), init)
  onEnd()
  return atOnce(body as Uint8Array<ArrayBuffer>, init, call)
}

async function atOnce(
  body: Uint8Array<ArrayBuffer>,
  init: { status: number; headers: HeaderList },
  call: Call,
): Promise<Response> {
  call.response(body)
  await call.end('completed')
  return new Response(body, init)
}

type Reader = {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
  cancel(reason: unknown): Promise<void>
}

function recorded(reader: Reader, call: Call, onEnd: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done || value === undefined) {
            onEnd()
            await call.end(call.clientGone ? 'client_gone' : 'completed')
            return controller.close()
          }
          call.response(value)
          controller.enqueue(value)
        } catch (error) {
          const failure = new UpstreamFailure(
            'gone',
            'shared-answer-lost',
            'The shared answer broke off',
            error,
          )
          onEnd()
          await call.end('upstream_gone', failure.reason)
          breakOff(controller, failure)
        }
      },
      async cancel(reason) {
        call.clientGone = true
        await reader.cancel(reason)
        await call.end('client_gone')
      },
    },
    { highWaterMark: 0 },
  )
}

function readerOf(frames: Iterator<Uint8Array>): Reader {
  return {
    read: async () => {
      const { done, value } = frames.next()
      return done ? { done: true } : { done: false, value }
    },
    cancel: async () => {},
  }
}
