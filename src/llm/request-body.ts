import { SluiceError } from '#lib/errors'
import { type Attempt, UpstreamFailure } from '#lib/upstream'
import { isBomb } from './bomb.ts'
import type { Call } from './call.ts'
import type { Client } from './client.ts'

/** Up to this a body with a length is read whole: half the cost of a stream. Measured: 29 against 61 µs. */
export const wholeBytes = 1024 * 1024

/** The length that was announced; null where none was. */
export function lengthOf(headers: Headers): number | null {
  const text = headers.get('content-length')
  return text === null || !/^\d{1,15}$/.test(text) ? null : Number(text)
}

/**
 * How the request's body is to be passed on.
 * @throws SluiceError 413 `body-too-large` where the announced length is past the limit
 */
export function bodyKind(request: Request, limit: number): 'none' | 'whole' | 'stream' {
  const length = lengthOf(request.headers)
  if (length === null) {
    // A replay's request was never on a wire: it has neither of the headers.
    return request.headers.has('transfer-encoding') || request.body !== null ? 'stream' : 'none'
  }
  if (length > limit) throw tooLarge(limit)
  if (length === 0) return 'none'
  return length <= wholeBytes ? 'whole' : 'stream'
}

/**
 * All of a body, whether its length was announced or not.
 * @throws SluiceError 413 `body-too-large`
 */
export async function readWhole(
  request: Request,
  { kind, limit }: { kind: 'whole' | 'stream'; limit: number },
): Promise<Uint8Array<ArrayBuffer>> {
  if (kind === 'whole') return new Uint8Array(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Takes a body that was read whole into the record.
 * @throws SluiceError 400 where Bun gave none, 413 where it has to be read here and unpacks past the limit
 */
export function takeWhole(
  body: Uint8Array<ArrayBuffer>,
  { request, call, limit }: { request: Request; call: Call; limit: number },
): Uint8Array<ArrayBuffer> {
  if (body.byteLength === 0) throw lost(request.method)
  const encoding = call.isRead ? request.headers.get('content-encoding') : null
  if (encoding !== null && isBomb(body, encoding, limit)) throw tooLarge(limit)
  call.request(body)
  return body
}

/**
 * Passes a body on as the upstream takes it, and to the record on the way.
 * A body that grows past `limit` cuts the attempt.
 */
export function streamed(
  request: Request,
  { call, attempt, client, limit }: { call: Call; attempt: Attempt; limit: number; client: Client },
): ReadableStream<Uint8Array> {
  const { body, method } = request
  if (body === null) throw lost(method)
  const reader = body.getReader()
  let size = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) {
          client.hasSent = true
          return controller.close()
        }
        size += value.byteLength
        if (size > limit) {
          const error = tooLarge(limit)
          attempt.cut(new UpstreamFailure('refused', error.code, error.message, error))
          throw error
        }
        attempt.activeAt = performance.now()
        call.request(value)
        controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

function tooLarge(limit: number): SluiceError {
  return new SluiceError(
    413,
    'body-too-large',
    `The request's body is larger than the limit of ${limit} bytes`,
  )
}

/** `Bun.serve` drops the body of a GET or HEAD. Better refused than sent without it. */
function lost(method: string): SluiceError {
  return new SluiceError(400, 'body-not-passed', `A ${method} request with a body cannot be passed on`)
}
