import { createHash } from 'node:crypto'
import { pino } from 'pino'
import type { Sql } from 'postgres'
import type { JobContext } from '#broker'
import type { Interpret, Interpretation, Message, Metered } from '#capture'
import type { LoggingPayload } from '#queues/logging'
import { type LoggingHandler, type LoggingOptions, loggingHandler } from '../../src/capture/consumers.ts'
import type { ExchangeEnd, ExchangeOpen, RecordedExchange } from '../../src/capture/exchange.ts'
import { encodeExchange } from '../../src/capture/frame.ts'
import { newId } from '../../src/lib/ids.ts'
import { endOf, openOf } from './support.ts'

/** What a scripted client sends: readable without any dialect. */
export type Call = {
  /** `role: text` */
  messages: string[]
  reply?: string | null
  session?: string
  agent?: string
  parent?: string
  model?: string
}

export type Changes = { open?: Partial<ExchangeOpen>; end?: Partial<ExchangeEnd>; at?: number }

/** From noon of yesterday on: however long the tests run, and whenever, it passes no midnight. */
let clock = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 43_200_000

/** An exchange of the scripted client, later than all before it. */
export function called(call: Call, changes: Changes = {}): RecordedExchange {
  clock += 10
  const at = changes.at ?? clock
  const { reply = `reply to ${call.messages.at(-1)}`, ...asked } = call
  return recorded(
    Buffer.from(JSON.stringify(asked)),
    Buffer.from(reply === null ? '' : JSON.stringify({ reply })),
    {
      ...changes,
      at,
    },
  )
}

export function recorded(request: Uint8Array, response: Uint8Array, changes: Changes = {}): RecordedExchange {
  clock += 10
  const at = changes.at ?? clock
  return {
    open: openOf({ id: newId(at), started_at: at, ...changes.open }),
    end: {
      ...endOf({ first_byte_at: at + 1, ended_at: at + 2 }),
      seq: 1,
      request_bytes: request.length,
      response_bytes: response.length,
      ...changes.end,
    },
    request,
    response,
  }
}

export const interpretCall: Interpret = ({ end, request, response }) => {
  if (end.metered !== undefined) return interpretMetered(end.metered)
  const call = read(request) as Partial<Call>
  const answer = read(response) as { reply?: string }
  const usage = {
    input: 10,
    output: 5,
    cache_read: 2,
    cache_write: 1,
    cache_write_1h: 0,
    reasoning: 3,
    final: true,
  }
  return {
    model_asked: call.model ?? 'scripted-1',
    model_served: call.model ?? 'scripted-1',
    streamed: false,
    usage,
    cost: { micros: 7, currency: 'USD', price_version: 'test' },
    error: null,
    session:
      call.session === undefined
        ? null
        : {
            client: 'scripted',
            session: call.session,
            agent: call.agent ?? null,
            parent_agent: call.parent ?? null,
          },
    history: (call.messages ?? []).map(message),
    reply: answer.reply === undefined ? null : message(`assistant: ${answer.reply}`),
  }
}

function interpretMetered({ client, session, agent, parent_agent, ...metered }: Metered): Interpretation {
  const ref = session === null ? null : { client: client ?? 'unknown', session, agent, parent_agent }
  const cost = { micros: 42, currency: 'USD', price_version: 'test' }
  return { ...metered, cost, error: null, session: ref, history: [], reply: null }
}

function read(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return {}
  }
}

function message(line: string): Message {
  const [role = 'user', ...rest] = line.split(': ')
  const text = rest.join(': ')
  const digest = createHash('sha256').update(line).digest('hex')
  return { role: role as Message['role'], text, digest }
}

export const quiet = pino({ level: 'silent' })

export function handlerOn(sql: Sql, options: Partial<LoggingOptions> = {}): LoggingHandler {
  return loggingHandler({ sql, interpret: interpretCall, log: quiet, ...options })
}

let batches = 0

export function payloadOf(
  exchanges: readonly RecordedExchange[],
  changes: Partial<LoggingPayload> = {},
): LoggingPayload {
  batches += 1
  const frames = Buffer.concat(exchanges.map(encodeExchange))
  return {
    v: 1,
    spool: 'test-0',
    batch: String(batches),
    floor: 0,
    part: 0,
    parts: 1,
    frames: Buffer.from(Bun.zstdCompressSync(frames)).toString('base64'),
    ...changes,
  }
}

export const job: JobContext = { id: 'job', attempt: 1, signal: new AbortController().signal }

/** Stores these exchanges as one batch. */
export async function stored(
  handler: LoggingHandler,
  exchanges: readonly RecordedExchange[],
  changes: Partial<LoggingPayload> = {},
): Promise<unknown> {
  return await handler(payloadOf(exchanges, changes), job)
}

/** The exchange as its table has it; undefined where it is not there. */
export async function rowOf(sql: Sql, id: string) {
  const [row] = await sql`select * from exchanges where id = ${id}`
  return row
}
