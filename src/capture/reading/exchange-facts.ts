import type postgres from 'postgres'
import type { BareExchangeRow, ExchangeFacts, ExchangeRow } from './exchange-item.ts'

/**
 * The rows with their classes and the facts of MCP. By a statement of its own with the ids as values, so that it is
 * planned for the partitions of these ids: a subquery for each row is planned for all of them, 50 ms at 30 days.
 */
export async function withFacts(sql: postgres.Sql, rows: readonly BareExchangeRow[]): Promise<ExchangeRow[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const ofMcp = rows.filter(({ dialect }) => dialect === 'mcp').map(({ id }) => id)
  const found = await sql<({ id: string } & ExchangeFacts)[]>`
    select k.id, null::jsonb as mcp, jsonb_build_object('task_type', k.task_type, 'complexity', k.complexity,
      'language', k.language, 'stack', k.stack, 'domain', k.domain, 'sensitivity', k.sensitivity,
      'source', k.source) as classes
    from exchange_classes k where k.id = any(${ids}::uuid[])
    ${ofMcp.length === 0 ? sql`` : sql`union all ${factsOfMcp(sql, ofMcp)}`}`
  const classes = new Map(found.filter((row) => row.classes !== null).map((row) => [row.id, row.classes]))
  const mcp = new Map(found.filter((row) => row.mcp !== null).map((row) => [row.id, row.mcp]))
  return rows.map((row) => ({ ...row, classes: classes.get(row.id) ?? null, mcp: mcp.get(row.id) ?? null }))
}

function factsOfMcp(sql: postgres.Sql, ids: readonly string[]): postgres.Fragment {
  return sql`
    select m.id, jsonb_build_object('hop', m.hop, 'peer', m.peer, 'rpc', m.rpc, 'name', m.name, 'session', m.session,
      'client_session', m.client_session, 'client_agent', m.client_agent, 'tool_use', m.tool_use, 'parent', m.parent),
      null from mcp_exchanges m where m.id = any(${[...ids]}::uuid[])`
}
