import { type Caller, may } from '#access'
import type { ExchangeOpen } from '#capture'
import { isWebSocket } from '#lib/server-socket'
import { type Attempt, openUpstreams, transparent } from '#lib/upstream'
import { admitCallOf } from './admit.ts'
import { refuseAsCode } from './browser-page.ts'
import { respondCached } from './cache/respond-cached.ts'
import type { ResponseCache } from './cache/response-cache.ts'
import { Call } from './call.ts'
import { Client, type RequestServer } from './client.ts'
import { keyQuery } from './credential.ts'
import { directTo } from './direct.ts'
import { onDisconnect } from './headers.ts'
import { type ClimbDeps, climbCall, climbs } from './ladder/climb-call.ts'
import type { Ladders } from './ladder/ladders.ts'
import { openMeter } from './meter.ts'
import type { AdmitCall } from './money/money.ts'
import { describe, identify } from './opening.ts'
import { price } from './price.ts'
import type { LlmProxy, ProxyOptions } from './proxy-options.ts'
import { openRefuser } from './refuser.ts'
import { bodyKind, readWhole, streamed, takeWhole } from './request-body.ts'
import { respond } from './respond.ts'
import { bound, holdBound } from './routing/binding.ts'
import { concern, freeOf, modelFinder, payables, refuseRuledSocket } from './routing/decide.ts'
import { factsOf } from './routing/facts.ts'
import { openHealth } from './routing/health.ts'
import { answerHere } from './routing/here.ts'
import { type Journey, marksOf, routeMark } from './routing/journey.ts'
import { outgoingTo } from './routing/outgoing.ts'
import type { Plan } from './routing/plan.ts'
import { tryCandidates } from './routing/tries.ts'
import type { Target } from './target.ts'
import { tunnel } from './websocket.ts'

export type { RequestServer } from './client.ts'
export type { LlmProxy, ProxyOptions } from './proxy-options.ts'

/** A request on its way, with what was found out about it so far. */
type Passage = {
  request: Request
  target: Target
  server: RequestServer
  exchange: ExchangeOpen
  caller: Caller
  call: Call
  kind: ReturnType<typeof bodyKind>
  /** Null: it is passed on as it comes, or there is none. */
  body: Uint8Array<ArrayBuffer> | null
  model: () => string | null
  /** Null: it goes where its path says. */
  plan: Plan | null
}

/** The route of a call is a ladder, and it can climb. */
type Ladder = { plan: Plan; body: Uint8Array<ArrayBuffer>; ladders: Ladders }

/** The main path of model traffic, from the request to the sealed record. */
export function openProxy(options: ProxyOptions): LlmProxy {
  const { authenticate, spool, providers, bodyMaxBytes: limit, observe = () => {} } = options
  const { routing = null, money, cache, price: priceOf = price } = options
  const idleSeconds = options.clientIdleSeconds ?? 60
  const { health, random } = routing ?? { health: openHealth(), random: Math.random }
  const upstreams = openUpstreams(options)
  const refuse = openRefuser({ ...options, begin })
  let open = 0
  let whenNoneOpen = () => {}

  return { handle, underWay: upstreams.count, close }

  async function handle(request: Request, target: Target, server: RequestServer): Promise<Response> {
    const { headers } = request
    const webSocket = isWebSocket(headers)
    const exchange = describe(request, target, webSocket ? 'websocket' : 'http')
    const under: { call: Call | null; attempt: Attempt | null } = { call: null, attempt: null }
    const begun = (attempt: Attempt) => {
      under.attempt = attempt
    }
    try {
      refuseAsCode(headers)
      const caller = target.replay?.caller ?? target.caller ?? authenticate(headers, keyQuery(target.path))
      identify(exchange, caller, headers)
      if (webSocket) {
        refuseRuledSocket(routing, { exchange, target, headers, trusted: may(caller.principal, 'label') })
        const candidates = payables(null, { target, providers, model: () => null })
        money?.admitSocket({ tenant: exchange.tenant, keyId: exchange.key_id, candidates })
        const direct = directTo(providers, { target, caller, headers, recorded: exchange.request_headers })
        const attempt = upstreams.begin(direct.provider.origin)
        begun(attempt)
        return await tunnel({ request, server, ...direct, exchange, attempt, begin })
      }
      const call = begin(exchange)
      under.call = call

      const passage = await planned({ request, target, server, exchange, caller, call })
      const own = routing === null ? null : answerHere(routing, passage)
      if (own !== null) return await own
      const ladder = ladderOf(passage)
      const asked = money === undefined ? null : admitCallOf(passage, { providers, climbs: ladder !== null })
      const counted = asked === null ? null : money?.count(asked)
      if (counted) call.admit(counted)
      const marks = counted?.headers ?? {}
      const known = cache === undefined ? null : await answeredBefore(cache, passage, { marks, ladder })
      if (known !== null) return known
      if (ladder !== null) return await climbCall({ ...passage, ...ladder, marks }, climbing(ladder))
      if (asked !== null) await reserved(passage, asked)
      return await (passage.plan === null
        ? sendDirect(passage, { marks, begun })
        : sendPlanned(passage, { plan: passage.plan, marks, begun }))
    } catch (error) {
      return await refuse(error, { request, exchange, ...under })
    }
  }

  /** Takes the request's body, unless nobody needs to see it whole, and asks the rules where it is to go. */
  async function planned(
    of: Pick<Passage, 'request' | 'target' | 'server' | 'exchange' | 'caller' | 'call'>,
  ): Promise<Passage> {
    const { request, target, exchange, caller, call } = of
    const { headers } = request
    const trusted = may(caller.principal, 'label')
    const kind = bodyKind(request, limit)
    const shape = target.plan === undefined ? concern(routing, { exchange, target, headers, trusted }) : null
    const held =
      shape === null ? bound(routing, { exchange, target, headers, trusted, hasBody: kind !== 'none' }) : null
    const isPlanned = shape !== null || held !== null || target.plan !== undefined
    const isRead = kind === 'whole' || (kind === 'stream' && isPlanned)
    const body = isRead
      ? takeWhole(await readWhole(request, { kind, limit }), { request, call, limit })
      : null
    const model = modelFinder(target.path, body, headers)
    let plan = target.plan ?? null
    const asked = shape ?? held
    if (asked !== null && routing !== null) {
      const facts = factsOf({ headers, trusted }, { dialect: target.dialect, path: target.path, body })
      const known = { ...asked, bytes: body?.byteLength ?? 0, model: model(), facts }
      if (shape !== null) plan = routing.planner.plan(known)
      if (shape === null || plan === null) holdBound(routing, known, target)
    }
    // On record whatever becomes of it: refused, answered by the cache, sent.
    if (plan !== null) call.journey = { plan, tried: [], served: null, model: model() }
    call.finish = onDisconnect(headers, plan?.spec.on_disconnect ?? options.clientGone) === 'finish'
    return { ...of, kind, body, model, plan }
  }

  /** Null where it goes straight on. Each rung is a call of its own, with all that comes after this. */
  function ladderOf({ plan, body, target }: Passage): Ladder | null {
    const { ladders } = options
    if (plan?.spec.ladder === undefined || ladders === undefined || body === null) return null
    return climbs(target) ? { plan, body, ladders } : null
  }

  function climbing({ ladders }: Ladder): ClimbDeps {
    return { proxy: { handle }, ladders, price: priceOf, random, idleSeconds }
  }

  /** Only what no cache answered costs anything. */
  async function reserved(passage: Passage, asked: AdmitCall): Promise<void> {
    const admission = await money?.reserve(asked)
    if (admission === undefined) return
    passage.call.admit(admission)
    if (admission.freeOnly && passage.plan !== null) passage.plan = freeOf(passage.plan, providers)
  }

  /** Null where it was not, or may not be given again: then the cache is told of what comes. */
  async function answeredBefore(
    { enter }: Pick<ResponseCache, 'enter'>,
    { request, target, server, exchange, caller, call, body, plan }: Passage,
    { marks, ladder }: { marks: Readonly<Record<string, string>>; ladder: Ladder | null },
  ): Promise<Response | null> {
    const { method, headers, signal } = request
    // Another ladder has another answer.
    const [first] =
      ladder === null
        ? (plan?.candidates ?? [])
        : [{ provider: 'ladder', model: JSON.stringify(ladder.plan.spec.ladder) }]
    const rule = plan?.spec.cache
    const entering = enter({
      ...{
        tenant: exchange.tenant,
        dialect: target.dialect,
        path: target.path,
        method,
        headers,
        body,
        signal,
      },
      ...{ provider: first?.provider ?? target.provider, model: first?.model ?? null },
      ...{ passThrough: caller.passThrough, exchange: call.id, mode: exchange.mode },
      rule: rule === undefined ? null : { mode: 'on', ttlSeconds: rule.ttl_seconds },
    })
    // It may be another's answer that is waited for, as long as a model takes.
    const isPart = entering instanceof Promise
    if (isPart) server?.timeout(request, 0)
    const limitAgain = () => server?.timeout(request, idleSeconds)
    const entrance = await entering
    if (entrance.state === 'hit' || entrance.state === 'shared')
      return await respondCached(entrance, call, {
        marks: { ...routeMark(plan), ...marks },
        onEnd: limitAgain,
      })
    if (isPart) limitAgain()
    if (entrance.state === 'miss') call.lead(entrance.lead)
    return null
  }

  /** To the provider of its path, as it is, and the answer back as it comes. */
  async function sendDirect(
    { request, target, server, exchange, caller, call, kind, body: whole }: Passage,
    { marks, begun }: { marks: Readonly<Record<string, string>>; begun: (attempt: Attempt) => void },
  ): Promise<Response> {
    const { headers, method } = request
    const recorded = exchange.request_headers
    const direct = directTo(providers, { target, caller, headers, recorded })
    const attempt = upstreams.begin(direct.provider.origin)
    begun(attempt)
    const passesOn = kind === 'stream' && whole === null
    const client = new Client({ request, server, call, idleSeconds }, !passesOn)
    attempt.watcher = client
    const body = passesOn ? streamed(request, { call, attempt, client, limit }) : whole
    const answer = await fetch(direct.url, {
      ...transparent,
      method,
      headers: direct.headers,
      body,
      signal: attempt.signal,
    })
    direct.provider.keys.judge(direct.key, answer)
    return await respond(answer, { call, attempt, method, marks })
  }

  /** To the first of the candidates that answers, in its own dialect. */
  async function sendPlanned(
    { request, target, server, exchange, caller, call, body, model: named }: Passage,
    {
      plan,
      marks,
      begun,
    }: { plan: Plan; marks: Readonly<Record<string, string>>; begun: (attempt: Attempt) => void },
  ): Promise<Response> {
    const { headers, method, signal } = request
    const model = named()
    const asked = { target, caller, headers, recorded: exchange.request_headers, body, model }
    const journey: Journey = { plan, tried: [], served: null, model }
    call.journey = journey
    const served = await tryCandidates({
      ...{ plan, model, method, providers, signal, tried: journey.tried },
      ...{ health, random },
      prepare: (candidate, provider) => outgoingTo(provider, { candidate, plan, asked }),
      begin(provider, { limits }) {
        const attempt = upstreams.begin(provider.origin, limits)
        begun(attempt)
        attempt.watcher = new Client({ request, server, call, idleSeconds }, true)
        return attempt
      },
    })
    journey.served = served
    const { answer, body: rest, attempt } = served
    return await respond(answer, {
      call,
      attempt,
      body: rest,
      method,
      marks: { ...marks, ...marksOf(journey) },
    })
  }

  /** @throws SpoolFullError */
  function begin(exchange: ExchangeOpen): Call {
    const meter = exchange.mode === 'metadata' ? openMeter(exchange) : null
    const recording = spool.begin(exchange)
    open += 1
    return new Call(exchange, { recording, meter, price: priceOf, observe, onSealed })
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
}
