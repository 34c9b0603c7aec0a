import { connect } from 'node:net'

/** Why an upstream did not answer, or not to its end. The message is ours: it never repeats a URL's query. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure'
  readonly kind: 'unreachable' | 'gone' | 'timeout' | 'client-gone' | 'refused' | 'stopped'
  /** A short word for records: `ECONNRESET`, `idle-timeout`. */
  readonly reason: string

  constructor(kind: UpstreamFailure['kind'], reason: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.reason = reason
  }
}

/**
 * What `fetch` must not do for a transparent proxy: follow redirects, unpack bodies (which also makes it add an
 * `accept-encoding`), give up after five idle minutes.
 */
export const transparent = { redirect: 'manual', decompress: false, timeout: false } as const

/** Whoever wants to look at an attempt every tick, and at its end. Must not throw. */
export type Watcher = { tick(attempt: Attempt, ageMs: number): void; end(): void }

/**
 * One request under way. Moves from `asking` (no response headers yet) to `silent` (none of the body, where that is
 * watched) and `answered`; `blocked` while it is the client that takes nothing.
 */
export class Attempt {
  readonly origin: string
  readonly startedAt = performance.now()
  state: 'asking' | 'silent' | 'answered' | 'blocked' = 'asking'
  /** Last sign of life. */
  activeAt = this.startedAt
  /** Is it known that the origin takes connections, since this attempt began? */
  reachable = false
  /** Set once it was cut short by us. */
  failure: UpstreamFailure | null = null
  /** Told of the cut, where no read is pending that would fail of it. */
  onCut: ((failure: UpstreamFailure) => void) | null = null
  watcher: Watcher | null = null
  readonly limits: TryLimits
  readonly #controller = new AbortController()
  readonly #watched: Set<Attempt>

  constructor(origin: string, watched: Set<Attempt>, limits: TryLimits) {
    this.origin = origin
    this.limits = limits
    this.#watched = watched
    watched.add(this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** No longer watched. Due at every end. */
  end(): void {
    if (this.#watched.delete(this)) this.watcher?.end()
  }

  touch(state: Attempt['state']): void {
    this.state = state
    this.activeAt = performance.now()
  }

  cut(failure: UpstreamFailure): void {
    if (this.failure !== null) return
    this.failure = failure
    this.#controller.abort(failure)
    this.onCut?.(failure)
  }
}

/** Of one try, beside those that hold for all. The first two count from its start. */
export type TryLimits = {
  headersMs?: number | undefined
  firstByteMs?: number | undefined
  idleMs?: number | undefined
}

const unlimited: TryLimits = {}

export type Upstreams = {
  /** Starts to watch a request. */
  begin(origin: string, limits?: TryLimits): Attempt
  /** How many requests are under way. */
  count(): number
  /** Cuts what is still under way and stops watching. */
  close(): void
}

export type UpstreamLimits = {
  /** For a TCP connection. `fetch` tells nobody when it has one, so a silent origin is dialled a second time. */
  connectTimeoutMs: number
  /** Without a byte from the upstream, or without the client taking one. */
  idleTimeoutMs: number
  /** How often limits are looked at. @default 250 */
  tickMs?: number
}

/** Keeps the limits of all requests with one timer, as a timer each would cost more than the rest of a request. */
export function openUpstreams({ connectTimeoutMs, idleTimeoutMs, tickMs = 250 }: UpstreamLimits): Upstreams {
  const attempts = new Set<Attempt>()
  const dials = new Map<string, Dial>()
  const timer = setInterval(tick, tickMs)
  timer.unref()

  return {
    begin: (origin, limits = unlimited) => new Attempt(origin, attempts, limits),
    count: () => attempts.size,
    close() {
      clearInterval(timer)
      for (const dial of dials.values()) dial.stop()
      const stopped = new UpstreamFailure('stopped', 'gateway-stopped', 'The gateway stops')
      for (const attempt of attempts) attempt.cut(stopped)
    },
  }

  function tick(): void {
    const time = performance.now()
    for (const attempt of attempts) {
      const idleMs = attempt.state === 'blocked' ? idleTimeoutMs : (attempt.limits.idleMs ?? idleTimeoutMs)
      if (attempt.limits !== unlimited && isLate(attempt, time)) attempt.cut(late(attempt))
      else if (time - attempt.activeAt > idleMs) attempt.cut(idle(attempt, idleMs))
      else if (attempt.state === 'asking' && !attempt.reachable) checkReachable(attempt, time)
      attempt.watcher?.tick(attempt, time - attempt.startedAt)
    }
    for (const [origin, dial] of dials) if (dial.heard() || time - dial.startedAt > 60_000) drop(origin, dial)
  }

  /** A model may think for minutes before its first byte; a host that takes no connection is down at once. */
  function checkReachable(attempt: Attempt, time: number): void {
    const age = time - attempt.startedAt
    if (age < Math.min(1_000, connectTimeoutMs / 2)) return
    let dial = dials.get(attempt.origin)
    if (dial === undefined) {
      dial = openDial(attempt.origin)
      dials.set(attempt.origin, dial)
    }
    if (dial.heard()) attempt.reachable = true
    else if (age > connectTimeoutMs) attempt.cut(unconnected(attempt.origin, connectTimeoutMs))
  }

  function drop(origin: string, dial: Dial): void {
    dial.stop()
    dials.delete(origin)
  }
}

/** What a failed `fetch`, or a broken read of its body, was. */
export function failureOf(error: unknown, attempt: Attempt): UpstreamFailure {
  if (attempt.failure !== null) return attempt.failure
  if (error instanceof UpstreamFailure) return error
  const code = codeOf(error)
  const host = attempt.origin
  if (attempt.state === 'asking' && /CERT|SIGNED|TLS|SSL|EPROTO|HANDSHAKE/i.test(code)) {
    return new UpstreamFailure('unreachable', code, `The certificate of ${host} does not verify: ${code}`)
  }
  if (attempt.state === 'asking' && unreachableCodes.test(code)) {
    return new UpstreamFailure('unreachable', code, `No connection to ${host}: ${code}`)
  }
  return new UpstreamFailure('gone', code, `The answer of ${host} broke off: ${code}`)
}

const unreachableCodes =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL|ENETDOWN|ERR_PROXY\w*|FailedToOpenSocket|ConnectionRefused)$/

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'unknown'
}

function idle({ state, origin }: Attempt, ms: number): UpstreamFailure {
  if (state === 'blocked') {
    return new UpstreamFailure('client-gone', 'client-stalled', `The client took nothing for ${ms} ms`)
  }
  return new UpstreamFailure('timeout', 'idle-timeout', `Nothing came from ${origin} for ${ms} ms`)
}

function isLate({ state, startedAt, limits }: Attempt, time: number): boolean {
  const { headersMs = Number.POSITIVE_INFINITY, firstByteMs = Number.POSITIVE_INFINITY } = limits
  const age = time - startedAt
  return (
    (state === 'asking' && age > headersMs) ||
    (state !== 'answered' && state !== 'blocked' && age > firstByteMs)
  )
}

function late({ state, origin }: Attempt): UpstreamFailure {
  return state === 'asking'
    ? new UpstreamFailure('timeout', 'headers-timeout', `No answer came from ${origin} in time`)
    : new UpstreamFailure(
        'timeout',
        'first-byte-timeout',
        `No byte of the answer came from ${origin} in time`,
      )
}

function unconnected(origin: string, ms: number): UpstreamFailure {
  return new UpstreamFailure('unreachable', 'connect-timeout', `No connection to ${origin} within ${ms} ms`)
}

type Dial = { startedAt: number; heard(): boolean; stop(): void }

/** A refusal is an answer too: `fetch` gets it as well, and says it better. Only silence counts. */
function openDial(origin: string): Dial {
  const { hostname, port, protocol } = new URL(origin)
  let heard = false
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  })
  const hear = () => {
    heard = true
    socket.destroy()
  }
  socket.once('connect', hear)
  socket.once('error', hear)
  socket.unref()
  return { startedAt: performance.now(), heard: () => heard, stop: () => void socket.destroy() }
}
