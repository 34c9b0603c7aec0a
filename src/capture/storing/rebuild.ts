import type { Sql } from 'postgres'
import type { Logger } from '#lib/log'
import type { Interpret } from '../interpretation.ts'
import { openContents } from './content.ts'
import { openIndexer } from './indexer.ts'
import { mendConversations } from './mend.ts'
import { quietTimes } from './quiet.ts'
import { rebuildSome } from './rebuild-exchanges.ts'
import { finish, openRun, type Run, saveRun } from './rebuild-run.ts'

export type RebuildOptions = {
  sql: Sql
  interpret: Interpret
  log: Logger
  /** ms since the epoch. @default the first exchange */
  since?: number | undefined
  /** ms since the epoch, not included. @default the start of the rebuild */
  until?: number | undefined
  /** Price old exchanges by the price list of today's code. @default false: what was billed stays */
  prices?: boolean
  onProgress?: (progress: RebuildProgress) => void
  /** Stops after the step under way; the same call goes on from there. */
  signal?: AbortSignal
}

export type RebuildProgress = {
  phase: Run['phase']
  done: number
  failed: number
  position: string
  until: string
}

/**
 * Derives again, from the stored bytes, everything that was read from them: models, usage, errors, threads, turns
 * and search. The bytes, and with `prices` off the costs, stay as they are. Safe beside running workers; memory is
 * bounded by one step.
 * @returns null where it was stopped before its end
 * @throws Error where another rebuild is running
 */
export async function rebuild(options: RebuildOptions): Promise<{ done: number; failed: number } | null> {
  const { sql, interpret, log, prices = false, onProgress = () => {}, signal } = options
  const alone = await sql.reserve()
  const quiet = quietTimes(0)
  const indexer = openIndexer(sql, quiet, (error) => log.warn({ error }, 'search: indexing failed'))
  try {
    const [lock] = await alone<{ held: boolean }[]>`select pg_try_advisory_lock(${rebuildLock}) as held`
    if (lock?.held !== true) throw new Error('starting a rebuild: another one is running')
    let run = await openRun(sql, options)
    const contents = openContents(sql)
    const days = new Set<number>()
    while (run.phase !== 'done') {
      onProgress(run)
      if (signal?.aborted) return null
      const before = run
      run =
        before.phase === 'exchanges'
          ? await quiet.during(() => rebuildSome({ sql, interpret, log, prices, contents, days }, before))
          : await mendConversations(sql, before)
      await saveRun(sql, run)
      indexer.wake()
      await indexer.idle()
    }
    await finish(sql, run)
    return { done: run.done, failed: run.failed }
  } finally {
    await indexer.close()
    await alone`select pg_advisory_unlock(${rebuildLock})`.catch(() => {})
    alone.release()
  }
}

const rebuildLock = 0x51_0c_e0_02
