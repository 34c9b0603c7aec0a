import { Elysia } from 'elysia'
import type { Authorise } from '#access'
import type { Logger } from '#lib/log'
import { conversationRoutes } from './reading/conversation-routes.ts'
import { exchangeRoutes } from './reading/exchange-routes.ts'
import { flowRoutes } from './reading/flow-routes.ts'
import type { Reading } from './reading/reading.ts'
import type { Replay } from './reading/replay.ts'
import { searchRoutes } from './reading/search-routes.ts'
import type { SpoolLedger } from './recording.ts'

export { type KeptRoutesOptions, keptRoutes } from './kept/kept-routes.ts'

export type CaptureRoutesOptions = {
  reading: Reading
  authorise: Authorise
  /** The ledgers of this gateway's own spools, as they are now. */
  ledgers: () => readonly SpoolLedger[]
  replay: Replay
  /** Does that provider take requests of that dialect? @default any may be tried */
  speaks?: (provider: string, dialect: string) => boolean
  log: Logger
  /** Time between signs of life on a live tail. @default 10_000 */
  heartbeatMs?: number
}

/** The record over HTTP. Who asks sees the own tenant only; another tenant's id answers as one that does not exist. */
export function captureRoutes(options: CaptureRoutesOptions) {
  return new Elysia({ name: 'capture' })
    .use(exchangeRoutes(options))
    .use(conversationRoutes(options))
    .use(searchRoutes(options))
    .use(flowRoutes(options))
}
