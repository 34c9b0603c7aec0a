import { now } from '#lib/clock'
import type { Logger } from '#lib/log'
import type { Answer, Era } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { type Waits, waitAfter } from './backoff.ts'
import type { Settled } from './calls.ts'
import { ConnectError, failureAnswer, UpstreamDownError } from './failure.ts'
import type { Session, SessionOptions } from './session.ts'
import { openSession } from './session.ts'
import { openStatus } from './status.ts'
import type { Upstream, UpstreamCall, UpstreamEvent } from './upstream.ts'

export type SuperviseOptions = Omit<SessionOptions, 'events' | 'era' | 'signal'> & {
  name: string
  log: Logger
  waits: Waits
  /** A connection that held for so long forgets the failures before it. */
  stableMs: number
  /** A next try that is this near is waited for; for one further off a call is refused. */
  patienceMs: number
  /** Without a sign of life, whether it lives is asked; null: never. */
  healthMs: number | null
  /** Time for the answer to that. */
  pingMs: number
  /** What a server on that transport can only be; null: it is asked. */
  onlyEra: Era | null
  /** Null: never stopped. */
  idleStopMs: number | null
}

/**
 * Keeps one server's connection: opens it when it is first needed, comes back when it is lost, stops it when nobody
 * uses it. All changes of its state are made here.
 */
export function supervise(options: SuperviseOptions): Upstream {
  const { name, log, waits } = options
  const listeners = new Set<(event: UpstreamEvent) => void>()
  const status = openStatus((state) => emit({ kind: 'state', state }))
  let session: Session | null = null
  let connecting: Promise<Session> | null = null
  let era = options.onlyEra
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let usedAt = now()
  let heardAt = 0
  let strays = 0
  /** With calls that may still be answered. */
  const retired = new Set<Session>()
  const closing = new AbortController()
  const endings = new Set<Promise<void>>()
  const watch = setInterval(look, watchEvery(options))
  watch.unref()

  /** The connection, opened where there is none. @throws UpstreamDownError */
  async function reach(signal: AbortSignal, timeoutMs: number): Promise<Session> {
    usedAt = now()
    if (session !== null) return session
    const { status: where, next_try_at: next } = status.get()
    if (where === 'closed') throw down()
    if (where === 'waiting' && (next ?? 0) - now() > options.patienceMs) throw down()
    const opened = connecting ?? (where === 'waiting' ? retried() : connect())
    return await within(opened, signal, timeoutMs)
  }

  function connect(): Promise<Session> {
    clearTimeout(timer)
    status.set({ status: 'connecting', next_try_at: null })
    connecting = attempt().finally(() => {
      connecting = null
    })
    connecting.catch(() => {})
    return connecting
  }

  async function attempt(): Promise<Session> {
    const connectedAt = now()
    try {
      const opened = await opening()
      const over = status.get().status === 'closed' ? 'It was closed' : opened.ended()
      if (over !== null) {
        await opened.close()
        throw new Error(over)
      }
      session = opened
      era = opened.facts.era
      status.set({ status: 'ready', reason: null, tries: 0, pid: opened.pid, connected_at: connectedAt })
      return opened
    } catch (error) {
      if (status.get().status !== 'closed') failed(error instanceof Error ? error.message : String(error))
      throw down()
    }
  }

  /** Some servers end when they are asked in the manner of the modern era. */
  async function opening(): Promise<Session> {
    const forgotten = () => void (session === null || renew(session))
    const events = { tell, gap, stray, closed, forgotten, away }
    const { signal } = closing
    try {
      return await openSession({ ...options, events, signal, era })
    } catch (error) {
      const again = error instanceof ConnectError && error.probing && era !== 'legacy' && !signal.aborted
      // What is known of the server may have become wrong: the next try asks it again.
      era = options.onlyEra
      if (!again) throw error
      return await openSession({ ...options, events, signal, era: 'legacy' })
    }
  }

  /** Of a connection that is not the one in use any more, or not yet, nobody needs to know. */
  function closed(reason: string): void {
    if (session !== null && session.ended() !== null) lost(session, reason)
  }

  function lost(which: Session, reason: string): void {
    ending(which.close())
    session = null
    if (now() - (status.get().connected_at ?? 0) > options.stableMs) failures = 0
    failed(reason)
  }

  function failed(reason: string): void {
    const wait = waitAfter(failures, waits)
    failures += 1
    log.warn({ server: name, reason, wait_ms: Math.round(wait) }, 'an MCP server is not available')
    const { tries } = status.get()
    status.set({ ...gone, status: 'waiting', reason, tries: tries + 1, next_try_at: now() + wait })
    timer = setTimeout(() => void connect(), wait)
    timer.unref()
  }

  async function retried(): Promise<Session> {
    await status.until(({ status: where }) => where !== 'waiting')
    return await (connecting ?? Promise.reject(down()))
  }

  async function request(call: UpstreamCall): Promise<Answer> {
    let settled: Settled
    try {
      const used = await reach(call.signal, call.timeoutMs)
      settled = await used.request(call)
      if (wasNotDone(settled)) settled = await (await renewed(used, settled, call)).request(call)
      // A broken connection may be one request's, or the server's.
      if (settled.failure?.kind === 'gone' && session === used) void examine(used)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return failureAnswer({ kind: call.signal.aborted ? 'cancelled' : 'unavailable', message })
    }
    usedAt = now()
    return settled.answer
  }

  /** Where the server has forgotten its session, whoever notices first makes a new one, for all. */
  async function renewed(used: Session, { failure }: Settled, call: UpstreamCall): Promise<Session> {
    if (failure?.sessionLost === true) renew(used)
    return await reach(call.signal, call.timeoutMs)
  }

  function renew(forgotten: Session): void {
    if (session !== forgotten) return
    retire(forgotten)
    void connect()
  }

  /** It does not answer the door any more. */
  function away(reason: string): void {
    if (session === null) return
    retire(session)
    failed(reason)
  }

  /** Takes no more calls, and ends when those that it has are done. */
  function retire(which: Session): void {
    session = null
    retired.add(which)
    ending(which.retire().finally(() => retired.delete(which)))
  }

  function look(): void {
    if (session === null || session.busy() > 0) return
    const quiet = now() - usedAt
    if (options.idleStopMs !== null && quiet >= options.idleStopMs) {
      ending(session.close())
      session = null
      status.set({ ...gone, status: 'idle', reason: null })
    } else if (options.healthMs !== null && now() - Math.max(usedAt, heardAt) >= options.healthMs) {
      heardAt = now()
      void examine(session)
    }
  }

  async function examine(which: Session): Promise<void> {
    if (await which.ping(options.pingMs)) return
    if (which === session && which.busy() === 0) lost(which, 'The server does not answer a ping')
  }

  function tell(method: string, params: string): void {
    emit({ kind: 'notification', method, params })
  }

  function gap(): void {
    const capabilities = session?.facts.capabilities ?? '{}'
    for (const kind of ['tools', 'prompts', 'resources']) {
      if (memberOf(capabilities, kind) !== null) tell(`notifications/${kind}/list_changed`, '{}')
    }
  }

  function stray(why: string): void {
    strays += 1
    if (strays <= 10 || strays % 1_000 === 0)
      log.debug({ server: name, strays, why }, 'an MCP frame is ignored')
  }

  function emit(event: UpstreamEvent): void {
    for (const listener of [...listeners]) {
      try {
        listener(event)
      } catch (error) {
        log.error({ server: name, error }, 'a listener to an MCP server failed')
      }
    }
  }

  function down(): UpstreamDownError {
    const { reason, next_try_at: next } = status.get()
    return new UpstreamDownError(name, reason ?? 'it is closed', next)
  }

  function ending(end: Promise<void>): void {
    const settled = end.catch(() => {}).finally(() => endings.delete(settled))
    endings.add(settled)
  }

  return {
    state: () => ({ ...status.get(), ignored: strays }),
    facts: async (signal) => (await reach(signal, options.timeoutMs)).facts,
    request,
    notify: (method, params) => session?.notify(method, params),
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      clearInterval(watch)
      clearTimeout(timer)
      status.set({ ...gone, status: 'closed', reason: 'It was closed' })
      closing.abort()
      for (const opened of [session, ...retired]) if (opened !== null) ending(opened.close())
      session = null
      await connecting?.catch(() => {})
      await Promise.all(endings)
    },
  }
}

/** Can the server know nothing of it? Then it may be sent once more. */
function wasNotDone({ failure }: Settled): boolean {
  return failure?.sessionLost === true || failure?.unsent === true
}

const gone = { pid: null, connected_at: null, next_try_at: null }

function watchEvery({ idleStopMs, healthMs }: SuperviseOptions): number {
  const least = Math.min(idleStopMs ?? 60_000, healthMs ?? 60_000)
  return Math.max(20, Math.min(least / 4, 5_000))
}

/** The same promise, for somebody who does not wait for ever. */
async function within<Value>(promise: Promise<Value>, signal: AbortSignal, ms: number): Promise<Value> {
  let onAbort = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  const given = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error('Nobody waits for the answer any more'))
    timer = setTimeout(() => reject(new Error(`There was no connection within ${ms} ms`)), ms)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([promise, given])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
