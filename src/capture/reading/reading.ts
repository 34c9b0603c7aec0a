import type postgres from 'postgres'
import { SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { openStore } from '#store'
import { exchangesChannel } from '../storing/announce.ts'
import { openTail, type Tail } from './tail.ts'

/** The pool that all reads of the record share, apart from what stores and proxies: bounded in every direction. */
export type Reading = {
  /**
   * Runs one read.
   * @throws SluiceError 503 `busy` when too many are under way, `read-too-slow` past the time limit,
   *   `database-down` when there is no connection
   */
  read<Result>(work: (sql: postgres.Sql) => Promise<Result>): Promise<Result>
  tail: Tail
  /** Ends all who follow the tail, then waits up to 5 s for running reads. */
  close(): Promise<void>
}

export type ReadingOptions = {
  log: Logger
  /** Connections at most. @default 4 */
  max?: number
  /** Time limit of one statement. @default 5000 */
  timeoutMs?: number
  /** Reads under way or waiting at most. @default 64 */
  atOnce?: number
}

export function openReading(url: string, options: ReadingOptions): Reading {
  const { log, max = 4, timeoutMs = 5_000, atOnce = 64 } = options
  const store = openStore(bounded(url, timeoutMs), { max, name: 'sluice-read' })
  let underWay = 0

  async function read<Result>(work: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
    if (underWay >= atOnce) {
      throw new SluiceError(503, 'busy', `reading the record: ${atOnce} reads are under way already`, {
        headers: { 'retry-after': '1' },
      })
    }
    underWay++
    try {
      return await work(store.sql)
    } catch (error) {
      throw readError(error, timeoutMs)
    } finally {
      underWay--
    }
  }

  const tail = openTail({ read, listen, log })

  async function listen(onMessage: (payload: string) => void, onConnect: () => void) {
    const { unlisten } = await store.sql.listen(exchangesChannel, onMessage, onConnect)
    return unlisten
  }

  return {
    read,
    tail,
    async close() {
      await tail.close()
      await store.close()
    },
  }
}

/**
 * Filters make many different statements: none is prepared by name, so that neither side's cache of them grows and
 * each is planned for its own values. No pipelining, so that no read waits behind a slow one while a connection
 * is free (for this price `begin` does not work here). JIT costs 100 ms and more on plans that then read 50 rows.
 * Recent partitions are in memory, where reading in any order costs little more than in sequence.
 */
function bounded(url: string, timeoutMs: number): string {
  const bounds = new URL(url)
  bounds.searchParams.set('statement_timeout', String(timeoutMs))
  bounds.searchParams.set('prepare', 'false')
  bounds.searchParams.set('max_pipeline', '0')
  bounds.searchParams.set('jit', 'off')
  bounds.searchParams.set('random_page_cost', '1.1')
  return bounds.href
}

const cancelled = '57014'
const noConnection = /^(E[A-Z]+|CONNECT|08|57P0|53300|28|3D)/

function readError(error: unknown, timeoutMs: number): unknown {
  if (error instanceof SluiceError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  if (code === cancelled) {
    const message = `reading the record: took longer than ${timeoutMs} ms; narrow the time range or the filters`
    return new SluiceError(503, 'read-too-slow', message, { cause: error })
  }
  if (!noConnection.test(code)) return error
  return new SluiceError(503, 'database-down', 'reading the record: the database cannot be reached', {
    cause: error,
    headers: { 'retry-after': '1' },
  })
}
