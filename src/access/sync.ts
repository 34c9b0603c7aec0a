import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Directory, KeySet } from './directory.ts'
import { keysSince } from './queries.ts'

/** Keeps a directory equal to the database. */
export type Sync = {
  /** Resolves when whatever was committed before the call is in the directory. Rejects while the database is down. */
  refresh(): Promise<void>
  /** Did the last look at the database work? */
  connected(): boolean
  stop(): Promise<void>
}

export type SyncOptions = {
  sql: Sql
  directory: Directory
  /** Called after each change of the directory. */
  onChange: () => void
  log: Logger
  /** @default 1000 */
  checkMs?: number
  /** A look at the database that takes longer counts as failed. @default 5000 */
  patienceMs?: number
}

/**
 * NOTIFY makes a change known at once. It can be missed: while the listening session is down, or where a
 * connection pooler stands between. So each second asks whether there is anything newer, which is one indexed
 * statement, and each new listening session loads everything.
 */
export function openSync(options: SyncOptions): Sync {
  const { sql, directory, onChange, log, checkMs = 1_000, patienceMs = 5_000 } = options
  let running: Promise<void> | null = null
  let following: Promise<void> | null = null
  // At the start, after a loss, and where rows went missing (a restored backup): load everything.
  let whole = true
  let state: 'starting' | 'connected' | 'lost' | 'stopped' = 'starting'

  const timer = setInterval(look, checkMs)
  timer.unref()
  const listening = sql.listen('sluice_access', look, onListening)
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
    whole = true
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
    try {
      await update()
      if (state === 'lost') log.info('access: database back, keys are up to date')
      if (state !== 'stopped') state = 'connected'
    } catch (error) {
      if (state !== 'lost' && state !== 'stopped') {
        log.warn({ reason: errorText(error) }, 'access: database not reachable, using the keys known so far')
        state = 'lost'
      }
      throw error
    }
  }

  async function update(): Promise<void> {
    const held = whole ? -1 : directory.revision()
    const change = await limited(keysSince(sql, held))
    const grown = directory.size() + change.keys.filter(({ id }) => !directory.has(id)).length
    if (!whole && change.revision >= held && change.total === grown) {
      if (change.revision === held) return
      directory.merge(change)
    } else {
      directory.replace(held === -1 ? change : await limited(keysSince(sql, -1)))
      whole = false
    }
    onChange()
  }

  async function limited(query: Promise<KeySet & { total: number }>): Promise<KeySet & { total: number }> {
    let timeout: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timeout = setTimeout(reject, patienceMs, new Error(`load access keys: no answer in ${patienceMs} ms`))
    })
    return await Promise.race([query, late]).finally(() => clearTimeout(timeout))
  }
}
