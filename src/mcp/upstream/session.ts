import type { Hop } from '../record/recorder.ts'
import type { Era, RawJson } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import type { Settled } from './calls.ts'
import { type Connection, type ConnectionEvents, openConnection } from './connection.ts'
import { ConnectError } from './failure.ts'
import { shakeHands } from './handshake.ts'
import type { Hops } from './hops.ts'
import { type Mirror, openMirror } from './http/mirror.ts'
import type { OpenLink } from './link.ts'
import { type Listening, listen } from './listening.ts'
import { logLevels } from './log-level.ts'
import type { ServerFacts, UpstreamCall } from './upstream.ts'

/** A connection that is agreed on: what the server is, and requests in its era. */
export type Session = {
  facts: ServerFacts
  pid: number | null
  /** Calls of clients under way. */
  busy(): number
  request(call: UpstreamCall): Promise<Settled>
  notify(method: string, params: RawJson): void
  /** Why it is over; null: it is not. */
  ended(): string | null
  /** Does it still answer? */
  ping(timeoutMs: number): Promise<boolean>
  /** Ends it when the calls under way have. */
  retire(): Promise<void>
  close(): Promise<void>
}

export type SessionOptions = {
  openLink: OpenLink
  hops: Hops
  events: ConnectionEvents
  era: Era | null
  clientInfo: RawJson
  capabilities: RawJson
  /** Does its transport repeat parts of the body in headers? */
  mirrors: boolean
  timeoutMs: number
  probeMs: number
  /** Gives up the opening. */
  signal: AbortSignal
}

/** @throws ConnectError */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { hops, signal } = options
  let ended: string | null = null
  const { events, retire } = untilRetired(options.events, (reason) => {
    ended = reason
  })
  const connection = await openConnection(options.openLink, { ...options, events })
  if (signal.aborted) {
    await connection.close()
    throw new ConnectError('It was closed')
  }
  const giveUp = () => void connection.close()
  signal.addEventListener('abort', giveUp)
  const facts = await agree(connection, options).finally(() => signal.removeEventListener('abort', giveUp))
  const { era, capabilities } = facts
  const modern = era === 'modern'
  connection.link.ready({ era, version: facts.protocolVersion, listens: !modern })
  const listening = modern ? listen({ connection, hops, capabilities, gap: events.gap }) : null
  const mirror = modern && options.mirrors ? openMirror(connection, events.stray) : null
  const levels = !modern && memberOf(capabilities, 'logging') !== null ? logLevels(connection) : null
  return {
    facts,
    pid: connection.link.pid,
    ended: () => ended,
    busy: () => connection.calls.foreign().length,
    async request(call) {
      const uri = listening === null ? null : subscription(call)
      if (uri !== null) return subscribed(listening, call.method, uri)
      if (levels !== null && call.logLevel != null) await levels.want(call.logLevel)
      return await mirrored(connection, mirror, call)
    },
    notify(method, params) {
      // The modern era has no notifications of clients.
      if (!modern) connection.notify(method, params)
    },
    async ping(timeoutMs) {
      const { failure } = await connection.ask({
        method: modern ? 'server/discover' : 'ping',
        params: '{}',
        timeoutMs,
      })
      return failure === null || (failure.kind === 'refused' && failure.sessionLost !== true)
    },
    async retire() {
      retire()
      listening?.close()
      await connection.calls.drained()
      await connection.close()
    },
    async close() {
      retire()
      listening?.close()
      await connection.close()
    },
  }
}

/** What a connection that is not in use any more has to say concerns nobody. */
function untilRetired(events: ConnectionEvents, onClosed: (reason: string) => void) {
  let live = true
  const passed: ConnectionEvents = {
    stray: events.stray,
    tell: (method, params) => live && events.tell(method, params),
    gap: () => live && events.gap(),
    away: (reason) => live && events.away(reason),
    forgotten: () => live && events.forgotten(),
    closed(reason) {
      onClosed(reason)
      if (live) events.closed(reason)
    },
  }
  return {
    events: passed,
    retire() {
      live = false
    },
  }
}

async function agree(connection: Connection, options: SessionOptions): Promise<ServerFacts> {
  let hop: Hop | null = null
  try {
    hop = options.hops.own(options.era === 'legacy' ? 'initialize' : 'server/discover')
    const facts = await shakeHands(connection, { ...options, hop })
    await hop.end({ outcome: 'completed', status: null, error: null })
    return facts
  } catch (error) {
    const failed = hop?.end({ outcome: 'upstream_error', status: null, error: 'handshake' })
    await Promise.resolve(failed).catch(() => {})
    await connection.close()
    throw error instanceof ConnectError
      ? error
      : new ConnectError(error instanceof Error ? error.message : `${error}`)
  }
}

/** With what HTTP repeats of the params, and once more where the server says that it was wrong. */
async function mirrored(connection: Connection, mirror: Mirror | null, call: UpstreamCall): Promise<Settled> {
  if (mirror === null) return await connection.request(call)
  const settled = await connection.request(call, await mirror.headers(call))
  const { answer } = settled
  if (call.method === 'tools/list' && 'result' in answer) {
    return { answer: { result: mirror.learn(answer.result) }, failure: null }
  }
  const mismatch = 'error' in answer && answer.error.code === headerMismatch && call.method === 'tools/call'
  if (!mismatch || !(await mirror.refresh())) return settled
  return await connection.request(call, await mirror.headers(call))
}

const headerMismatch = -32_020

function subscription({ method, params }: UpstreamCall): string | null {
  return method === 'resources/subscribe' || method === 'resources/unsubscribe'
    ? stringOf(params, 'uri')
    : null
}

function subscribed(listening: Listening | null, method: string, uri: string): Settled {
  if (method === 'resources/subscribe') listening?.subscribe(uri)
  else listening?.unsubscribe(uri)
  return { answer: { result: '{}' }, failure: null }
}
