import type { Authenticate } from '#access'
import type { ExchangeOpen, Outcome, Spool } from '#capture'
import { SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { type Attempt, failureOf, openUpstreams, transparent } from '#lib/upstream'
import { Call, type Observed } from './call.ts'
import { dropCredentials, keyQuery, placeKey, withoutKey } from './credential.ts'
import { forwarded, onDisconnect, recordable } from './headers.ts'
import { openMeter } from './meter.ts'
import { describe, identify } from './opening.ts'
import type { Providers } from './providers/provider.ts'
import { clientLeft, endOf, refusalOf } from './refusal.ts'
import { bodyKind, streamed, takeWhole } from './request-body.ts'
import { respond } from './respond.ts'
import { type Target, urlAt } from './target.ts'
import { isWebSocket, tunnel, type UpgradeServer } from './websocket.ts'

export type ProxyOptions = {
  authenticate: Authenticate
  spool: Pick<Spool, 'begin'>
  providers: Providers
  log: Logger
  /** `BODY_MAX_BYTES`. */
  bodyMaxBytes: number
  connectTimeoutMs: number
  idleTimeoutMs: number
  /** Where a request does not say it itself. */
  clientGone: 'cancel' | 'finish'
  /** That a client may be silent between calls or within one. @default 60 */
  clientIdleSeconds?: number
  /** Told of every call at its end; must be quick, and must not throw. */
  observe?: (end: Observed) => void
}

/** The part of `Bun.serve`'s server that a request needs; null where a request came from nowhere. */
export type RequestServer = (UpgradeServer & { timeout(request: Request, seconds: number): void }) | null

export type LlmProxy = {
  /**
   * Passes one request on and its answer back, or a WebSocket. Never rejects: what goes wrong is an answer too,
   * and a record.
   */
  handle(request: Request, target: Target, server: RequestServer): Promise<Response>
  /** How many requests are under way at upstreams. */
  underWay(): number
  /** Cuts what is under way; resolves when the record of each is sealed, or after a second. */
  close(): Promise<void>
}

/** The main path of model traffic, from the request to the sealed record. */
export function openProxy(options: ProxyOptions): LlmProxy {
  const { authenticate, spool, providers, log, bodyMaxBytes, observe = () => {} } = options
  const upstreams = openUpstreams(options)
  let open = 0
  let whenNoneOpen = () => {}

  return { handle, underWay: upstreams.count, close }

  async function handle(request: Request, target: Target, server: RequestServer): Promise<Response> {
    const { headers, method } = request
    const webSocket = isWebSocket(headers)
    const exchange = describe(request, target, webSocket ? 'websocket' : 'http')
    let call: Call | null = null
    let attempt: Attempt | null = null
    try {
      const caller = target.replay?.caller ?? authenticate(headers, keyQuery(target.path))
      identify(exchange, caller, headers)
      if (!webSocket) call = begin(exchange)
      const provider = providers.get(target.provider)
      const finish = onDisconnect(headers, options.clientGone) === 'finish'
      const onward = forwarded(headers, exchange.request_headers)
      if (!caller.passThrough) {
        dropCredentials(onward)
        placeKey(onward, provider, target.dialect)
      }
      const url = urlAt(provider.baseUrl, caller.passThrough ? target.path : withoutKey(target.path))

      if (call === null) {
        attempt = upstreams.begin(provider.origin)
        return await tunnel({ request, server, url, headers: onward, exchange, attempt, begin })
      }

      const kind = bodyKind(request, bodyMaxBytes)
      const whole =
        kind === 'whole'
          ? takeWhole(new Uint8Array(await request.arrayBuffer()), { request, call, limit: bodyMaxBytes })
          : null
      attempt = upstreams.begin(provider.origin)
      followClient(request, { call, attempt, finish })
      const onSent = beSilent(request, { server, attempt, seconds: options.clientIdleSeconds ?? 60 })
      const body =
        kind === 'stream' ? streamed(request, { call, attempt, limit: bodyMaxBytes, onSent }) : whole
      if (kind !== 'stream') onSent()

      const answer = await fetch(url, {
        ...transparent,
        method,
        headers: onward,
        body,
        signal: attempt.signal,
      })
      return await respond(answer, { call, attempt, method, finish })
    } catch (error) {
      return await refuse(error, { request, exchange, call, attempt })
    }
  }

  /** @throws SpoolFullError */
  function begin(exchange: ExchangeOpen): Call {
    const meter = exchange.mode === 'metadata' ? openMeter(exchange) : null
    const recording = spool.begin(exchange)
    open += 1
    return new Call(exchange, { recording, meter, observe, onSealed })
  }

  function onSealed(): void {
    open -= 1
    if (open === 0) whenNoneOpen()
  }

  async function close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    whenNoneOpen = resolve
    upstreams.close()
    if (open > 0) await Promise.race([promise, Bun.sleep(1_000)])
  }

  /** Turns what was thrown on the way into an answer in the dialect's shape, and seals the record of it. */
  async function refuse(
    thrown: unknown,
    {
      request,
      exchange,
      call,
      attempt,
    }: { request: Request; exchange: ExchangeOpen; call: Call | null; attempt: Attempt | null },
  ): Promise<Response> {
    attempt?.end()
    const { outcome, error, reason } = verdict(thrown, { request, attempt })
    if (outcome === 'rejected' && !(error instanceof SluiceError))
      log.error({ err: error, id: exchange.id }, 'proxy: failed')
    const refusal = await refusalOf(error, errorDialect(exchange.dialect, exchange.provider))
    const record = call ?? tryBegin(exchange)
    if (record !== null && outcome !== 'client_gone') {
      record.answered(refusal.status, recordable(refusal.headers))
      record.response(refusal.body)
    }
    try {
      await record?.end(outcome, reason)
    } catch (failure) {
      log.error({ err: failure, id: exchange.id }, 'proxy: a refusal could not be recorded')
    }
    refusal.headers.set('sluice-exchange', exchange.id)
    return new Response(refusal.body, { status: refusal.status, headers: refusal.headers })
  }

  /** A refusal is recorded too; but where the record is what is full, there is no place for it. */
  function tryBegin(exchange: ExchangeOpen): Call | null {
    try {
      return begin(exchange)
    } catch {
      return null
    }
  }

  /** The dialect of the path, else that of the provider's own API. */
  function errorDialect(dialect: string | null, provider: string | null): string | null {
    if (dialect !== null || provider === null) return dialect
    return providers.dialectOf(provider)
  }
}

/**
 * The server's limit on silence is for clients that do not send. Once they have, it is the model's turn, and the
 * limit is lifted until the end of the answer: Bun would keep it lifted for whatever comes next on the connection.
 */
function beSilent(
  request: Request,
  { server, attempt, seconds }: { server: RequestServer; attempt: Attempt; seconds: number },
): () => void {
  attempt.onEnd = () => server?.timeout(request, seconds)
  return () => {
    if (attempt.isUnderWay) server?.timeout(request, 0)
  }
}

/** A client that hangs up takes its upstream with it, unless the answer is wanted for the record. */
function followClient(
  request: Request,
  { call, attempt, finish }: { call: Call; attempt: Attempt; finish: boolean },
): void {
  request.signal.addEventListener('abort', () => {
    call.clientGone = true
    if (!finish) attempt.cut(clientLeft())
  })
}

type Verdict = { outcome: Outcome; error: unknown; reason: string | null }

function verdict(
  thrown: unknown,
  { request, attempt }: { request: Request; attempt: Attempt | null },
): Verdict {
  if (thrown instanceof SluiceError) return { outcome: 'rejected', error: thrown, reason: thrown.code }
  if (request.signal.aborted) return { ...endOf(clientLeft()), reason: null }
  // Before an upstream was asked, what fails without a word of ours is our own mistake.
  if (attempt === null) return { outcome: 'rejected', error: thrown, reason: 'internal' }
  const failure = failureOf(thrown, attempt)
  return { ...endOf(failure), reason: failure.reason }
}
