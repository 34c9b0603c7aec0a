import type { PgPool } from 'bullmq'
import pg from 'pg'
import type { Outage } from './outage.ts'

/** The schema that BullMQ keeps its tables in; the one that it takes with a pool that is not its own. */
export const schema = 'bullmq'

/** Sessions for calls, shared by all queues of a process. Each worker adds one to listen on. */
const sessions = 2
/** Longer than a producer waits: a call that a worker makes may be large, and must not block a session for ever. */
const queryMs = 10_000

export type QueuePool = {
  /** What BullMQ is given. */
  pool: PgPool
  /** One session more: BullMQ takes one for good for each worker, to listen on. */
  grow(): void
  shrink(): void
  end(): Promise<void>
}

/** The sessions of a process on the queue's database. Opened by use, closed after a while without. */
export function openPool(
  url: string,
  { name, outage, connectMs }: { name: string; outage: Outage; connectMs: number },
): QueuePool {
  const pool = new pg.Pool({
    connectionString: libpqUrl(url),
    max: sessions,
    application_name: `sluice ${name} queue`,
    options: `-c search_path=${schema} -c statement_timeout=${queryMs}`,
    query_timeout: queryMs,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  })
  pool.on('error', (error) => {
    if (!pool.ending) outage.down(error)
  })
  // A session that is cut may emit a second error when nobody listens any more, which would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  const shared = {
    // Read by BullMQ: with it a worker may sleep until the next delayed job is due.
    options: { keepAlive: true },
    query: (text: string, parameters: unknown[]) =>
      watched(() => undivided(() => pool.query(text, parameters))),
    connect: () => watched(() => pool.connect()),
    // BullMQ neither closes a pool that it was given, nor need each queue listen for the pool's errors.
    end: async () => {},
    on: () => shared,
    removeAllListeners: () => shared,
  } as unknown as PgPool
  return {
    pool: shared,
    grow() {
      pool.options.max += 1
    },
    shrink() {
      pool.options.max -= 1
    },
    end: () => pool.end(),
  }

  async function watched<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      const result = await call()
      outage.up()
      return result
    } catch (error) {
      if (!isLost(error)) throw error
      outage.down(error)
      throw asRefused(error)
    }
  }
}

/** `require` without `verify` means what libpq and the store's driver take it for: encrypted, certificate not checked. */
function libpqUrl(text: string): string {
  const url = new URL(text)
  if (url.searchParams.has('sslmode')) url.searchParams.set('uselibpqcompat', 'true')
  return url.href
}

/**
 * Repeats a statement that Postgres chose as a deadlock's victim: nothing of it was done. Workers that finish jobs at
 * the same time meet over the finished ones to remove; BullMQ would take the error for the job's own failure.
 */
async function undivided<Result>(statement: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await statement()
    } catch (error) {
      if (tries === 10 || !/^40(P01|001)$/.test(codeOf(error))) throw error
      await Bun.sleep(Math.random() * 10 * tries)
    }
  }
}

/** Is the server gone, going, coming or full, rather than refusing this one statement? */
function isLost(error: unknown): boolean {
  const code = codeOf(error)
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57P0)/.test(code)
}

/** BullMQ takes only this code for a lost connection, and tries again; any other error costs the job a try. */
function asRefused(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  return Object.assign(new Error(message, { cause: error }), { code: 'ECONNREFUSED' })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
