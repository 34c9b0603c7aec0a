import type { Authenticate } from '#access'
import type { Spool } from '#capture'
import type { Logger } from '#lib/log'
import type { ResponseCache } from './cache/response-cache.ts'
import type { Observed } from './call.ts'
import type { RequestServer } from './client.ts'
import type { Ladders } from './ladder/ladders.ts'
import type { Money } from './money/money.ts'
import type { PriceOf } from './price.ts'
import type { Providers } from './providers/provider.ts'
import type { Routing } from './routing/routing.ts'
import type { Target } from './target.ts'

export type ProxyOptions = {
  authenticate: Authenticate
  spool: Pick<Spool, 'begin'>
  providers: Providers
  /** Without it every call goes where its path says. */
  routing?: Routing
  /** Without it no call is limited. */
  money?: Pick<Money, 'count' | 'reserve' | 'admitSocket'>
  cache?: Pick<ResponseCache, 'enter'>
  /** Without it a route with a ladder goes to its lowest rung. */
  ladders?: Ladders
  /** Prices in force. @default those that came with the program */
  price?: PriceOf
  log: Logger
  /** `BODY_MAX_BYTES`. */
  bodyMaxBytes: number
  connectTimeoutMs: number
  idleTimeoutMs: number
  /** How often limits of time are looked at. @default 250 */
  tickMs?: number
  /** Where a request does not say it itself. */
  clientGone: 'cancel' | 'finish'
  /** That a client may be silent between calls or within one. @default 60 */
  clientIdleSeconds?: number
  /** Told of every call at its end; must be quick, and must not throw. */
  observe?: (end: Observed) => void
}

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
