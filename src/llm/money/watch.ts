import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'

/** Keeps what is in memory equal to the database. */
export type Watch = {
  /** Resolves when whatever was committed before is loaded. Rejects while the database is down. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export type WatchOptions = {
  sql: Sql
  log: Logger
  /** Loads everything. */
  load: () => Promise<void>
  /** Told of messages that are no change of settings. */
  onMessage?: (text: string) => void
  /** @default 1000 */
  checkMs?: number
  /** @default 5000 */
  patienceMs?: number
}

/**
 * Loads again when the revision has changed. NOTIFY says so at once; as a message may be missed, each second asks,
 * which is one read of one row.
 */
export function openWatch(options: WatchOptions): Watch {
  const { sql, log, load, onMessage = () => {}, checkMs = 1_000, patienceMs = 5_000 } = options
  let revision = -1
  let state: 'up' | 'down' | 'closed' = 'up'
  let running: Promise<void> | null = null
  const timer = setInterval(look, checkMs)
  timer.unref()
  const listening = sql.listen('sluice_money', (text) => (text === '' ? look() : onMessage(text)), look)
  listening.catch(() => {}) // it tries again by itself

  return {
    refresh,
    async close() {
      state = 'closed'
      clearInterval(timer)
      const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
      await running?.catch(() => {})
    },
  }

  function look(): void {
    if (state !== 'closed' && running === null) void refresh().catch(() => {})
  }

  /** One after the other: a load under way may not see what the caller did. */
  function refresh(): Promise<void> {
    const next = (running ?? Promise.resolve()).catch(() => {}).then(update)
    running = next
    void next
      .catch(() => {})
      .finally(() => {
        if (running === next) running = null
      })
    return next
  }

  async function update(): Promise<void> {
    try {
      await within(patienceMs, loadIfNewer())
      if (state === 'down') log.info('money: the database is back, settings are up to date')
      if (state !== 'closed') state = 'up'
    } catch (error) {
      if (state === 'up') log.warn({ reason: errorText(error) }, 'money: using the settings known so far')
      if (state !== 'closed') state = 'down'
      throw error
    }
  }

  async function loadIfNewer(): Promise<void> {
    const [row] = await sql<{ revision: number }[]>`select revision from money_revision`
    const found = row?.revision ?? 0
    if (found === revision) return
    await load()
    revision = found
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, ms, new Error(`load the settings of money: no answer in ${ms} ms`))
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
