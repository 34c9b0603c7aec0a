import type { Sql } from 'postgres'
import { openStore } from '#store'
import type { CacheBound, CacheStore } from './store.ts'

const rowsAtOnce = 500
const sweepEveryMs = 60_000

export type PostgresStoreOptions = CacheBound & { url: string }

/**
 * In Postgres, in a table that is not logged, shared by all gateways. On a small pool of its own with short limits,
 * so that a slow database keeps nobody else waiting.
 */
export function postgresStore({ url, maxBytes }: PostgresStoreOptions): CacheStore {
  const { sql, close } = openStore(bounded(url), { max: 2, name: 'sluice cache' })
  let putBytes = 0
  let sweeping: Promise<void> | null = null
  const timer = setInterval(() => void sweepQuietly(), sweepEveryMs)
  timer.unref()
  // The first to ask shall not wait for a connection.
  sql`select 1`.catch(() => {})

  function sweepQuietly(): Promise<void> {
    putBytes = 0
    sweeping ??= sweepCache(sql, maxBytes)
      .catch(() => {})
      .finally(() => {
        sweeping = null
      })
    return sweeping
  }

  return {
    kind: 'postgres',
    durable: true,
    async get(key) {
      const [row] = await sql<{ data: Uint8Array }[]>`
        select data from response_cache where key = decode(${key}, 'hex') and expires_at > now()`
      return row?.data ?? null
    },
    async put(key, bytes, ttlSeconds) {
      if (bytes.byteLength > maxBytes) return
      await sql`
        insert into response_cache (key, expires_at, size, data)
        values (decode(${key}, 'hex'), now() + ${ttlSeconds} * interval '1 second', ${bytes.byteLength}, ${bytes})
        on conflict (key) do update
          set expires_at = excluded.expires_at, size = excluded.size, data = excluded.data`
      putBytes += bytes.byteLength
      if (putBytes > maxBytes / 8) void sweepQuietly()
    },
    sweep: () => sweepCache(sql, maxBytes),
    async close() {
      clearInterval(timer)
      await sweeping
      await close()
    },
  }
}

/** In short transactions, beside those who read and write; what another sweep has in hand is passed over. */
export async function sweepCache(sql: Sql, maxBytes: number): Promise<void> {
  for (let count = rowsAtOnce; count === rowsAtOnce; ) {
    const gone = await sql`
      delete from response_cache where key in (
        select key from response_cache where expires_at <= now()
        order by expires_at limit ${rowsAtOnce} for update skip locked)`
    count = gone.count
  }
  for (let count = rowsAtOnce; count === rowsAtOnce; ) {
    const gone = await sql`
      delete from response_cache where key in (
        select key from (
          select key, expires_at, sum(size) over (order by expires_at desc, key) as kept from response_cache
        ) as one where kept > ${maxBytes}
        order by expires_at limit ${rowsAtOnce})`
    count = gone.count
  }
}

function bounded(url: string): string {
  const bounds = new URL(url)
  bounds.searchParams.set('statement_timeout', '2000')
  bounds.searchParams.set('connect_timeout', '2')
  return bounds.href
}
