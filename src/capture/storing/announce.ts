import type { Sql } from 'postgres'

/** Whoever listens hears which exchanges were stored: their ids, comma-separated. */
export const exchangesChannel = 'sluice_exchanges'

/** A payload has less than 8,000 bytes, an id 36. */
const mostIds = 200

/** After the commit, and in no transaction: a NOTIFY within one makes all committers wait for each other. */
export async function announce(sql: Sql, ids: readonly string[]): Promise<void> {
  const payloads: string[] = []
  for (let at = 0; at < ids.length; at += mostIds) payloads.push(ids.slice(at, at + mostIds).join(','))
  if (payloads.length === 0) return
  await sql`select pg_notify(${exchangesChannel}, payload) from unnest(${payloads}::text[]) as payload`
}
