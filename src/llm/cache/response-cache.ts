/**
 * The exact cache of answers, and the sharing of answers that are under way.
 *
 * The proxy enters where it has the whole body and knows the first candidate, before it asks any upstream:
 *
 *   const entrance = await cache.enter({ tenant, dialect, provider, path, method, headers, body, passThrough,
 *     exchange: call.id, mode: open.mode, rule: route?.cache ?? null, signal: request.signal })
 *   if (entrance.state === 'hit' || entrance.state === 'shared') return respondCached(entrance, call)
 *   if (entrance.state === 'miss') call.lead(entrance.lead)
 *
 * With `call.lead` the call itself tells the cache what passes, until its one end. `entrance.lead.wanted()` says
 * whether others wait for the answer: then a client that hangs up must not take the upstream with it.
 */
import type { CaptureMode, Outcome } from '#capture'
import { SluiceError } from '#lib/errors'
import type { HeaderList } from '../headers.ts'
import { type CacheEntry, keptHeaders, packEntry, unpackEntry } from './entry.ts'
import { type CachedAnswer, type Flight, openFlight } from './flight.ts'
import type { GuardedStore } from './guard.ts'
import { type CacheRequest, cacheKey } from './key.ts'
import { type CachePolicy, type CacheRule, cachePolicy, mayStore } from './policy.ts'
import { isWhole } from './whole.ts'

export type ResponseCache = {
  /**
   * Answers from the cache or from an equal request under way; else the way is free. Never waits for the store for
   * longer than its patience. Returns at once, and not a promise, where the cache has no part in the request.
   * @throws SluiceError 400 `bad-header`; 504 `cache-miss` where the client wants a cached answer only
   * @throws the signal's reason, when it is aborted while waiting for another's answer
   */
  enter(request: EnterRequest): Entrance | Promise<Entrance>
  close(): Promise<void>
}

export type EnterRequest = CacheRequest & {
  /** The exchange that asks. */
  exchange: string
  /** In `metadata` mode nothing is put where it leaves memory. */
  mode: CaptureMode
  /** What the route says; null where there is none, or it says nothing. */
  rule: CacheRule | null
  signal?: AbortSignal
}

export type Entrance =
  /** The cache has no part in this. */
  | { state: 'bypass' }
  /** Not there: ask, and tell the lead what comes. */
  | { state: 'miss'; lead: Lead }
  /** Stored before, or another's that is under way. */
  | { state: 'hit' | 'shared'; answer: CachedAnswer }

/** Told what passes, by who asks the upstream. `end` is due at every end; later calls do nothing. */
export type Lead = {
  answered(status: number, headers: HeaderList): void
  response(bytes: Uint8Array): void
  end(outcome: Outcome): void
  /** Do others wait for this answer? */
  wanted(): boolean
}

export type CacheOptions = {
  store: GuardedStore
  /** Larger answers are not stored, and shared only with those who came before they were too large. @default 4 MiB */
  maxAnswerBytes?: number
  /** Told how each request that takes part went. */
  observe?: (state: 'hit' | 'shared' | 'miss' | 'stored') => void
}

export function openResponseCache(options: CacheOptions): ResponseCache {
  const { store, maxAnswerBytes = 4 * 1024 * 1024, observe = () => {} } = options
  const flights = new Map<string, Flight>()
  const storing = new Set<Promise<void>>()

  return {
    enter,
    async close() {
      await Promise.all(storing)
      await store.close()
    },
  }

  function enter(request: EnterRequest): Entrance | Promise<Entrance> {
    const policy = cachePolicy(request.headers, request.rule)
    const key = policy === null ? null : cacheKey(request)
    if (policy === null || key === null) {
      if (policy?.only) throw missing('this request is not one that is cached')
      return { state: 'bypass' }
    }
    return enterKeyed(key, policy, request)
  }

  async function enterKeyed(key: string, policy: CachePolicy, request: EnterRequest): Promise<Entrance> {
    const under = policy.use ? flights.get(key) : undefined
    if (under !== undefined) {
      const answer = await under.join(request.signal)
      // A flight that found its answer in the store gives it to those who came meanwhile.
      const state = answer?.exchange === under.exchange ? 'shared' : 'hit'
      if (answer !== null && !isTooOld(answer, policy)) return seen({ state, answer })
      if (policy.only) throw missing('the request that had it under way failed, or found an older one')
      // Who waited in vain goes alone: a queue of failures one after the other helps nobody.
      return seen({
        state: 'miss',
        lead: leadOf(openFlight(request.exchange, maxAnswerBytes), { key, policy, request }),
      })
    }
    const flight = openFlight(request.exchange, maxAnswerBytes)
    if (!policy.only && !flights.has(key)) flights.set(key, flight)
    const found = policy.use ? await lookUp(key, policy) : null
    if (found !== null) {
      flight.give(found)
      forget(key, flight)
      return seen({ state: 'hit', answer: found })
    }
    if (policy.only) {
      throw missing('nothing is stored for this request')
    }
    return seen({ state: 'miss', lead: leadOf(flight, { key, policy, request }) })
  }

  async function lookUp(key: string, policy: CachePolicy): Promise<CachedAnswer | null> {
    const packed = await store.get(key)
    const entry = packed === null ? null : await unpackEntry(packed)
    return entry === null || isTooOld(entry, policy) ? null : entry
  }

  function leadOf(flight: Flight, told: { key: string; policy: CachePolicy; request: EnterRequest }): Lead {
    let status = 0
    let headers: HeaderList = []
    let ended = false
    return {
      wanted: flight.wanted,
      answered(given, sent) {
        status = given
        headers = keptHeaders(sent)
        flight.answered(status, headers)
      },
      response: flight.response,
      end(outcome) {
        if (ended) return
        ended = true
        const { dialect, exchange } = told.request
        const bytes =
          status === 200 && (outcome === 'completed' || outcome === 'client_gone') ? flight.bytes() : null
        // Whether an answer that its client did not take to the end is whole, only its bytes can tell.
        const whole = outcome === 'completed' || (bytes !== null && isWhole(dialect, headers, bytes))
        flight.end(whole)
        forget(told.key, flight)
        if (!whole || bytes === null || !mayStore(headers) || !isKeepable(told.request)) return
        const entry = { status, headers, body: bytes, storedAt: Date.now(), exchange }
        const stored = put(entry, told).finally(() => storing.delete(stored))
        storing.add(stored)
      },
    }
  }

  /** After the client has its end of the answer: reading and packing it are not on its way. */
  async function put(
    entry: CacheEntry,
    { key, policy, request }: { key: string; policy: CachePolicy; request: EnterRequest },
  ): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (!policy.store || !isWhole(request.dialect, entry.headers, entry.body)) return
    await store.put(key, await packEntry(entry), policy.ttlSeconds)
    observe('stored')
  }

  function isKeepable({ mode }: EnterRequest): boolean {
    return mode === 'full' || !store.durable
  }

  function forget(key: string, flight: Flight): void {
    if (flights.get(key) === flight) flights.delete(key)
  }

  function seen<Seen extends Exclude<Entrance, { state: 'bypass' }>>(entrance: Seen): Seen {
    observe(entrance.state)
    return entrance
  }
}

function isTooOld({ storedAt }: { storedAt: number }, { maxAgeSeconds }: CachePolicy): boolean {
  return maxAgeSeconds !== null && Date.now() - storedAt > maxAgeSeconds * 1000
}

function missing(reason: string): SluiceError {
  return new SluiceError(504, 'cache-miss', `sluice-cache: only a cached answer was wanted: ${reason}`)
}
