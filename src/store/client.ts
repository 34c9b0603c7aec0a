import postgres from 'postgres'

export type Store = {
  sql: postgres.Sql
  /** Waits up to 5 s for running queries, then cuts them. */
  close(): Promise<void>
}

export type StoreOptions = {
  /** Connections at most. @default 10 */
  max?: number
  /** Shown as `application_name` in `pg_stat_activity`. @default 'sluice' */
  name?: string
}

/**
 * A pool on that database. Connects with the first query, and again by itself after a loss; a query that was under
 * way then rejects. `bigint` arrives as a number: nothing here counts past 2^53.
 */
export function openStore(url: string, { max = 10, name = 'sluice' }: StoreOptions = {}): Store {
  const sql = postgres(url, {
    max,
    connect_timeout: 10,
    connection: { application_name: name },
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  }) as unknown as postgres.Sql
  return { sql, close: () => sql.end({ timeout: 5 }) }
}
