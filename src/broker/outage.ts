import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'

export type Outage = {
  /** The engine did not answer. Logged once, until it is back. */
  down(error: unknown): void
  /** As `down`, where nothing better is known: a connection that ends says nothing of why. */
  closed(): void
  up(): void
  /** Why the engine is down, as last heard. */
  reason(): unknown
}

/** Says once that the engine is gone, and once that it is back, however many connections notice. */
export function watchOutage(log: Logger, engine: string): Outage {
  let since: number | undefined
  let last: unknown = new Error('not connected')
  return {
    reason: () => last,
    down,
    closed() {
      if (since === undefined) down(new Error('connection closed'))
    },
    up() {
      if (since === undefined) return
      log.info({ engine, seconds: Math.round((Date.now() - since) / 1000) }, 'queue engine is back')
      since = undefined
    },
  }

  function down(error: unknown): void {
    last = error
    if (since !== undefined) return
    since = Date.now()
    log.warn({ engine, reason: errorText(error) }, 'queue engine is down')
  }
}
