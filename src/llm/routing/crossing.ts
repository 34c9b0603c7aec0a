import type { Usage } from '#capture'
import { SluiceError } from '#lib/errors'
import { type Attempt, failureOf, type UpstreamFailure } from '#lib/upstream'
import { retryDelay } from '../codecs/errors.ts'
import type { Translator } from '../codecs/translation.ts'
import { decompress } from '../decompress.ts'
import { readableBytes } from '../dialects/json.ts'
import { type ExchangeReader, openExchangeReader } from '../exchange-reader.ts'
import type { HeaderList } from '../headers.ts'

/** The edge between two dialects, for one try. */
export type Crossing = {
  /** What could not be carried; of a stream complete only at its end. */
  warnings(): string[]
  /** What the upstream itself told, in its own dialect. Due once, at the end. */
  told(): { usage: Usage | null; model: string | null }
  /** The upstream's answer in the client's dialect. @throws SluiceError 502 `bad-upstream-answer` */
  answer(answer: Response, attempt: Attempt): Response | Promise<Response>
}

export function openCrossing(of: {
  translator: Translator
  dialect: string
  path: string
  warnings: readonly string[]
}): Crossing {
  const { translator, dialect, path } = of
  const warnings = [...of.warnings]
  let late: () => string[] = () => []
  const reader: ExchangeReader = openExchangeReader({
    ...{ dialect, path, method: 'POST', protocol: 'http', request_headers: [] },
  })

  return {
    warnings: () => [...new Set([...warnings, ...late()])],
    told() {
      const { usage, model } = reader.result().response
      return { usage, model }
    },
    answer(answer, attempt) {
      reader.head(answer.status, [...answer.headers] as HeaderList)
      const streams = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false
      return streams && answer.ok && answer.body !== null
        ? stream(answer, answer.body, attempt)
        : whole(answer)
    },
  }

  function stream(answer: Response, body: ReadableStream<Uint8Array>, attempt: Attempt): Response {
    const relay = translator.relay()
    late = relay.warnings
    const source = body.getReader()
    let failure: UpstreamFailure | null = null
    const translated = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          // The client was told in its own dialect before; now the record is.
          if (failure !== null) throw failure
          for (;;) {
            const { done, value } = await source.read().catch((error) => {
              failure = failureOf(error, attempt)
              return { done: true, value: undefined }
            })
            // What a translation drops is a sign of life too.
            attempt.activeAt = performance.now()
            if (value !== undefined) reader.response(value)
            const bytes =
              value === undefined
                ? relay.end(failure === null ? undefined : gone(failure))
                : relay.push(value)
            if (bytes !== null) controller.enqueue(bytes)
            if (done && failure === null) controller.close()
            if (done && failure !== null && bytes === null) throw failure
            if (done || bytes !== null) return
          }
        },
        cancel: (reason) => source.cancel(reason),
      },
      { highWaterMark: 0 },
    )
    const headers = clientHeaders(answer.headers)
    headers.set('content-type', 'text/event-stream; charset=utf-8')
    headers.set('cache-control', 'no-cache')
    return new Response(translated, { status: answer.status, headers })
  }

  async function whole(answer: Response): Promise<Response> {
    const packed = new Uint8Array(await answer.arrayBuffer())
    reader.response(packed)
    const plain = decompress(packed, answer.headers.get('content-encoding'), readableBytes)
    if (plain === null) throw unreadable('its encoding is not known, or it is too large')
    const made = translator.response(plain, answer.status)
    warnings.push(...made.warnings)
    const headers = clientHeaders(answer.headers)
    headers.set('content-type', made.contentType)
    const seconds = answer.ok || headers.has('retry-after') ? null : retryDelay(plain)
    if (seconds !== null) headers.set('retry-after', String(seconds))
    headers.set('content-length', String(made.body.byteLength))
    return new Response(made.body as Uint8Array<ArrayBuffer>, { status: made.status, headers })
  }
}

function gone({ reason, message }: UpstreamFailure): { status: number; code: string; message: string } {
  return { status: 502, code: reason, message }
}

/** Of the upstream's headers, those that mean the same in every dialect. */
function clientHeaders(upstream: Headers): Headers {
  const headers = new Headers()
  for (const name of [
    'retry-after',
    'retry-after-ms',
    'x-should-retry',
    'request-id',
    'x-request-id',
    'date',
  ]) {
    const value = upstream.get(name)
    if (value !== null) headers.set(name, value)
  }
  return headers
}

function unreadable(why: string): SluiceError {
  return new SluiceError(502, 'bad-upstream-answer', `The upstream's answer cannot be translated: ${why}`)
}
