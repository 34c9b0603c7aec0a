import type { Sql } from 'postgres'

/** What a session has changed since it began. */
export type SessionState = { ended: boolean; logLevel: string | null; uris: readonly string[] }

type Row = { id: string; ended: boolean; log_level: string | null; resource_uris: string[]; revision: string }

/** Null where it has changed nothing. */
export async function storedState(sql: Sql, id: string): Promise<SessionState | null> {
  const [row] = await sql<Row[]>`
    select id, ended_at is not null as ended, log_level, resource_uris from mcp_sessions where id = ${id}`
  return row === undefined ? null : stateOf(row)
}

export async function storeState(
  sql: Sql,
  { id, tenant, state }: { id: string; tenant: string; state: SessionState },
): Promise<void> {
  const uris = [...state.uris]
  await sql`
    insert into mcp_sessions (id, tenant, ended_at, log_level, resource_uris, revision)
    values (${id}, ${tenant}, ${state.ended ? sql`now()` : null}, ${state.logLevel}, ${uris}, 0)
    on conflict (id) do update set
      ended_at = coalesce(mcp_sessions.ended_at, excluded.ended_at),
      log_level = excluded.log_level, resource_uris = excluded.resource_uris`
}

/** Changes after that revision, those of other sessions too; and the newest revision. */
export async function changesSince(sql: Sql, revision: bigint) {
  const rows = await sql<Row[]>`
    select id, ended_at is not null as ended, log_level, resource_uris, revision::text as revision
    from mcp_sessions where revision > ${revision.toString()} order by revision`
  return rows.map((row) => ({ id: row.id, revision: BigInt(row.revision), state: stateOf(row) }))
}

export async function statesOf(sql: Sql, ids: readonly string[]) {
  const rows = await sql<Row[]>`
    select id, ended_at is not null as ended, log_level, resource_uris from mcp_sessions where id = any(${[...ids]})`
  return rows.map((row) => ({ id: row.id, state: stateOf(row) }))
}

export async function newestRevision(sql: Sql): Promise<bigint> {
  const [row] = await sql<{ newest: string }[]>`
    select coalesce(max(revision), 0)::text as newest from mcp_sessions`
  return BigInt(row?.newest ?? 0)
}

/** Sessions that nobody can take up any more. */
export async function dropStates(sql: Sql, before: string): Promise<void> {
  await sql`delete from mcp_sessions where id < ${before}::uuid`
}

function stateOf({ ended, log_level, resource_uris }: Omit<Row, 'revision'>): SessionState {
  return { ended, logLevel: log_level, uris: resource_uris }
}
