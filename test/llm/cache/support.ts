import { pino } from 'pino'
import type { CaptureMode, ExchangeOpen, SealedEnd } from '#capture'
import { newId } from '#lib/ids'
import { guard } from '../../../src/llm/cache/guard.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import type { CacheRule } from '../../../src/llm/cache/policy.ts'
import { respondCached } from '../../../src/llm/cache/respond-cached.ts'
import { openResponseCache, type ResponseCache } from '../../../src/llm/cache/response-cache.ts'
import type { CacheStore } from '../../../src/llm/cache/store.ts'
import { Call } from '../../../src/llm/call.ts'
import { openOf } from '../../capture/support.ts'

export const quietLog = pino({ level: 'silent' })

/** What the upstream of a test sends; each call of it is counted. */
export type Answerer = (count: number) => Response | Promise<Response>

export type Sealed = SealedEnd & { id: string; response: string }

export type CacheGateway = {
  cache: ResponseCache
  /** Calls that reached the upstream. */
  asked(): number
  /** The records of all calls that ended. */
  sealed: Sealed[]
  states: string[]
  post(body: unknown, options?: PostOptions): Promise<Response>
}

export type PostOptions = {
  headers?: Record<string, string>
  tenant?: string
  mode?: CaptureMode
  path?: string
  signal?: AbortSignal
  passThrough?: boolean
  rule?: CacheRule
}

/** The two calls that a proxy makes of the cache, around an upstream that is a function. */
export function cacheGateway(
  answerer: Answerer,
  {
    store = memoryStore({ maxBytes: 1e7 }),
    maxAnswerBytes,
  }: { store?: CacheStore; maxAnswerBytes?: number } = {},
): CacheGateway {
  let asked = 0
  const sealed: Sealed[] = []
  const states: string[] = []
  const cache = openResponseCache({
    store: guard(store, { log: quietLog }),
    observe: (state) => states.push(state),
    ...(maxAnswerBytes === undefined ? {} : { maxAnswerBytes }),
  })

  async function post(body: unknown, options: PostOptions = {}): Promise<Response> {
    const {
      tenant = 'acme',
      mode = 'full',
      path = '/v1/messages',
      passThrough = false,
      rule = null,
    } = options
    const open = openOf({ id: newId(), tenant, mode, path })
    const call = recordedCall(open, sealed)
    const bytes = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
    call.request(bytes)
    const entrance = await cache.enter({
      ...{ tenant, mode, path, passThrough, dialect: 'anthropic', provider: 'mock', method: 'POST' },
      ...{ headers: new Headers(options.headers), body: bytes, exchange: call.id, rule },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    if (entrance.state === 'hit' || entrance.state === 'shared') return await respondCached(entrance, call)
    if (entrance.state === 'miss') call.lead(entrance.lead)
    asked += 1
    return relay(await answerer(asked), call)
  }

  return { cache, sealed, states, asked: () => asked, post }
}

function recordedCall(open: ExchangeOpen, sealed: Sealed[]): Call {
  const parts: Uint8Array[] = []
  const recording = {
    request: () => {},
    response: (bytes: Uint8Array) => void parts.push(bytes),
    seal: (end: SealedEnd) =>
      void sealed.push({ ...end, id: open.id, response: Buffer.concat(parts).toString() }),
  }
  return new Call(open, { recording, meter: null, price: () => null, observe: () => {}, onSealed: () => {} })
}

/** As the proxy does: every chunk to the record first, sealed before the end. */
function relay({ status, headers, body }: Response, call: Call): Response {
  call.answered(status, [...headers])
  const reader = (body ?? new ReadableStream<Uint8Array>({ start: (c) => c.close() })).getReader()
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            await call.end('completed')
            return controller.close()
          }
          call.response(value)
          controller.enqueue(value)
        } catch (error) {
          await call.end('upstream_gone', 'ECONNRESET')
          controller.error(error)
        }
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, { status, headers })
}

export const asked = { model: 'mock', max_tokens: 64, messages: [{ role: 'user', content: 'Hello' }] }

export function message(text: string): Response {
  const content = [{ type: 'text', text }]
  const usage = { input_tokens: 10, output_tokens: 5 }
  return Response.json({
    type: 'message',
    role: 'assistant',
    model: 'mock',
    content,
    stop_reason: 'end_turn',
    usage,
  })
}

const frame = (data: { type: string }) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

export const streamFrames = [
  frame({ type: 'message_start', message: { model: 'mock', usage: { input_tokens: 9 } } } as never),
  frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hé' } } as never),
  frame({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } } as never),
  frame({ type: 'message_stop' }),
]

/** A stream that gives one frame each time that `gate` resolves. */
export function stream(
  frames: readonly string[],
  gate: (index: number) => Promise<void> = async () => {},
): Response {
  let next = 0
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await gate(next)
        const text = frames[next]
        next += 1
        if (text === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(text))
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}
