import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'

/** Keeps something in memory equal to the database. */
export type Follower = {
  /** Resolves when whatever was committed before the call is in memory. Rejects while the database is down. */
  refresh(): Promise<void>
  /** Did the last look at the database work? */
  connected(): boolean
  stop(): Promise<void>
}

export type FollowOptions = {
  sql: Sql
  /** That a change is notified on. */
  channel: string
  /** What is followed, for the log: `keys`. */
  what: string
  /**
   * Brings memory up to date; never called twice at once. `fresh`: a notification may have been missed since the
   * last time, and rows may have gone missing (a restored backup), so that nothing held can be relied upon.
   */
  update: (fresh: boolean) => Promise<void>
  log: Logger
  /** @default 1000 */
  checkMs?: number
}

/**
 * NOTIFY makes a change known at once. It can be missed: while the listening session is down, or where a
 * connection pooler stands between. So each second asks whether there is anything newer, which should be one
 * indexed statement, and each new listening session loads everything.
 */
export function follow(options: FollowOptions): Follower {
  const { sql, channel, what, update, log, checkMs = 1_000 } = options
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null
  // At the start, after a loss, and where the last load failed.
  let fresh = true
  let state: 'starting' | 'connected' | 'lost' | 'stopped' = 'starting'

  const timer = setInterval(look, checkMs)
  timer.unref()
  const listening = sql.listen(channel, look, onListening)
  listening.catch(() => {}) // postgres.js itself tries again, for ever; the timer says that it is down

  return {
    refresh,
    connected: () => state === 'connected',
    async stop() {
      state = 'stopped'
      clearInterval(timer)
      const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
      await running?.catch(() => {})
    },
  }

  function onListening(): void {
    fresh = true
    look()
  }

  function look(): void {
    if (state !== 'stopped') void refresh().catch(() => {})
  }

  /** One at a time. A call during a load waits for a further one: the first may not see what the caller did. */
  function refresh(): Promise<void> {
    if (running === null) {
      running = load().finally(() => {
        running = null
      })
      return running
    }
    following ??= running
      .catch(() => {})
      .then(() => {
        following = null
        return refresh()
      })
    return following
  }

  async function load(): Promise<void> {
    const whole = fresh
    try {
      fresh = false
      await update(whole)
      if (state === 'lost') log.info(`${what}: database back, up to date`)
      if (state !== 'stopped') state = 'connected'
    } catch (error) {
      fresh ||= whole
      if (state !== 'lost' && state !== 'stopped') {
        log.warn({ reason: errorText(error) }, `${what}: database not reachable, using what was known so far`)
        state = 'lost'
      }
      throw error
    }
  }
}

/** @throws Error where the query takes longer than that: a database that hangs is down too */
export async function patiently<Row>(
  query: Promise<Row>,
  { doing, ms = 5_000 }: { doing: string; ms?: number },
): Promise<Row> {
  let timeout: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(reject, ms, new Error(`${doing}: no answer in ${ms} ms`))
  })
  return await Promise.race([query, late]).finally(() => clearTimeout(timeout))
}
