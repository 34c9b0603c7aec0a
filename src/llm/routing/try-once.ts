import { SluiceError } from '#lib/errors'
import { type Attempt, failureOf, transparent, type UpstreamFailure } from '#lib/upstream'
import { placeKey } from '../credential.ts'
import type { ProviderKey } from '../providers/keys.ts'
import type { ReadyProvider } from '../providers/provider.ts'
import type { Body } from '../response-body.ts'
import type { Outgoing } from './outgoing.ts'
import { isAmong } from './retry.ts'

/** What became of one request to one candidate. Nothing of it has gone to the client. */
export type Result = {
  key: ProviderKey | null
  ms: number
} /** `body` is what is still to be read; the answer's own is locked. */ & (
  | { kind: 'answer'; answer: Response; body: Body | null; attempt: Attempt }
  /** An answer that others may better: whole, and its attempt over. */
  | { kind: 'status'; answer: Response; attempt: Attempt; reason: string }
  | { kind: 'failure'; failure: UpstreamFailure; silent: boolean; attempt: Attempt }
)

/** Of an error's body that is kept in case nobody does better. */
const errorBytes = 1024 * 1024

/**
 * Sends the request once, and waits for the first bytes of the answer: until then another may be asked.
 * @throws SluiceError 502 `provider-key-missing`
 */
export async function tryOnce(
  provider: ReadyProvider,
  {
    outgoing,
    attempt,
    method,
    statuses,
  }: {
    outgoing: Outgoing
    attempt: Attempt
    method: string
    /** Those with which others are to be asked. */
    statuses: readonly string[]
  },
): Promise<Result> {
  const startedAt = performance.now()
  // The same again for each try: a key stands where the one before it stood.
  const { headers } = outgoing
  let key: ProviderKey | null = null
  const ms = () => Math.round(performance.now() - startedAt)
  try {
    if (!outgoing.ownCredential) key = placeKey(headers, provider, outgoing.dialect)
    const { url, body } = outgoing
    const answer = await fetch(url, { ...transparent, method, headers, body, signal: attempt.signal })
    attempt.touch('silent')
    if (isAmong(answer.status, statuses)) {
      return {
        kind: 'status',
        answer: await kept(answer, attempt),
        attempt,
        reason: `HTTP ${answer.status}`,
        key,
        ms: ms(),
      }
    }
    const { body: begun, first } = await firstChunk(answer, attempt)
    if (first !== null && answer.ok && isErrorEvent(first)) {
      return {
        kind: 'status',
        answer: await kept(withBody(answer, begun), attempt),
        attempt,
        reason: 'in-band error',
        key,
        ms: ms(),
      }
    }
    return { kind: 'answer', answer, body: begun, attempt, key, ms: ms() }
  } catch (error) {
    const silent = attempt.state !== 'asking'
    attempt.end()
    if (error instanceof SluiceError) throw error
    return { kind: 'failure', failure: failureOf(error, attempt), silent, attempt, key, ms: ms() }
  }
}

/** What is left of the answer's body once its first chunk is there, with nothing lost. */
async function firstChunk(
  answer: Response,
  attempt: Attempt,
): Promise<{ body: Body | null; first: Uint8Array | null }> {
  if (answer.body === null) return { body: null, first: null }
  const reader = answer.body.getReader()
  const start = await reader.read()
  attempt.touch('answered')
  let pending: typeof start | null = start
  const rest: ReturnType<Body['getReader']> = {
    read() {
      if (pending === null) return reader.read()
      const chunk = Promise.resolve(pending)
      pending = null
      return chunk
    },
    cancel: (reason) => reader.cancel(reason),
  }
  return { body: { getReader: () => rest }, first: start.value ?? null }
}

/** The answer with a body that was begun. A new stream costs 30 µs and more: only for who needs a Response. */
export function withBody(answer: Response, body: Body | null): Response {
  if (body === null) return responseLike(answer, null)
  const reader = body.getReader()
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done || value === undefined) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return responseLike(answer, stream)
}

/** Read to its end, and no longer under way. What is too long is cut, and says so by its length. */
async function kept(answer: Response, attempt: Attempt): Promise<Response> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    attempt.activeAt = performance.now()
    size += chunk.byteLength
    if (size > errorBytes) break
    chunks.push(chunk)
  }
  attempt.end()
  const bytes = Buffer.concat(chunks)
  const kept = responseLike(answer, bytes.byteLength === 0 ? null : bytes)
  if (answer.headers.has('content-length')) kept.headers.set('content-length', String(bytes.byteLength))
  return kept
}

function responseLike(
  answer: Response,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
): Response {
  const { status, statusText, headers } = answer
  return new Response(body, { status, statusText, headers })
}

const [letterE, letterD] = Buffer.from('ed')

/** Does the stream begin with nothing but an error? */
function isErrorEvent(first: Uint8Array): boolean {
  // Of most answers the first byte says it: to read 200 costs 2 µs.
  if (first[0] !== letterE && first[0] !== letterD) return false
  const text = Buffer.from(first.buffer, first.byteOffset, Math.min(first.byteLength, 200)).toString('latin1')
  return /^(?:event: ?error\r?\n|data: ?\{"(?:type":"error"|error":))/.test(text)
}
