import type postgres from 'postgres'
import { isoTime } from '#lib/clock'
import { idFloor } from '#lib/ids'
import type { ConversationRow } from './conversation-item.ts'

/** A tool use in an answer. */
export type ToolUseRow = { exchange: string; tool_use: string; name: string | null }

/** A call of MCP that an answer of the conversation, or its agent, caused. */
export type CallRow = {
  id: string
  tool_use: string | null
  rpc: string | null
  name: string | null
  outcome: string
  status: number | null
  error: string | null
  started_at: number
  ended_at: number
  request_bytes: number
  response_bytes: number
  conversation_id: string | null
  /** The portal's own exchanges with servers. */
  upstream: { id: string; server: string | null }[] | null
}

/** A span of time, in ms since the epoch; open where null. */
export type Between = { from: number | null; before: number | null }

const mostUses = 2_000
export const mostCalls = 1_000

/** What the answers of that conversation asked for, in their order. */
export async function readToolUses(
  sql: postgres.Sql,
  { id, started_at, last_at }: ConversationRow,
  { from, before }: Between,
): Promise<ToolUseRow[]> {
  const [floor, ceiling] = [idFloor(from ?? started_at - slackMs), idFloor(before ?? last_at + slackMs)]
  return await sql<ToolUseRow[]>`
    select u.id as exchange, u.tool_use, u.name from exchanges x join tool_uses u on u.id = x.id
    where x.conversation_id = ${id} and x.id >= ${floor} and x.id < ${ceiling}
      and u.id >= ${floor} and u.id < ${ceiling}
    order by u.id, u.place limit ${mostUses}`
}

/**
 * The calls that these tool uses caused, and those of the conversation's own agent in that time that name no tool use,
 * or one that no answer on record asked for; oldest first.
 */
export async function readCalls(
  sql: postgres.Sql,
  conversation: ConversationRow,
  uses: readonly ToolUseRow[],
  { from, before }: Between,
): Promise<CallRow[]> {
  const { tenant, session, agent, started_at } = conversation
  const floor = idFloor(started_at - slackMs)
  const ids = uses.map((use) => use.tool_use)
  const ofAgent = sql`
    union all
    select m.* from mcp_exchanges m
    where m.client_session = ${session} and m.client_agent is not distinct from ${agent}
      and m.tenant = ${tenant} and m.hop = 'client' and m.rpc in ('tools/call', 'resources/read', 'prompts/get')
      and m.id >= ${from === null ? floor : idFloor(from)} ${before === null ? sql`` : sql`and m.id < ${idFloor(before)}`}
      and (m.tool_use is null
        or not exists (select from tool_uses u where u.tool_use = m.tool_use and u.id >= ${floor}))`
  return await sql<CallRow[]>`
    select x.id, m.tool_use, m.rpc, m.name, x.outcome, x.status, x.error, x.request_bytes, x.response_bytes,
      x.conversation_id, extract(epoch from x.started_at)::float8 * 1000 as started_at,
      extract(epoch from x.ended_at)::float8 * 1000 as ended_at,
      (select jsonb_agg(jsonb_build_object('id', c.id, 'server', c.peer) order by c.id) from mcp_exchanges c
       where c.parent = m.id and c.hop = 'upstream' and c.id >= ${floor}) as upstream
    from (
      select m.* from mcp_exchanges m
      where m.tool_use = any(${ids}::text[]) and m.tenant = ${tenant} and m.hop = 'client' and m.id >= ${floor}
      ${session === null ? sql`` : ofAgent}
    ) as m
    join exchanges x on x.id = m.id and x.id >= ${floor}
    order by x.id limit ${mostCalls + 1}`
}

/** Clocks of gateways differ. */
const slackMs = 60_000

export type CallItem = ReturnType<typeof callItem>

export function callItem(row: CallRow) {
  const [first] = row.upstream ?? []
  return {
    type: 'call' as const,
    /** The exchange of the call, as the client made it. */
    exchange_id: row.id,
    tool_use: row.tool_use,
    rpc: row.rpc,
    name: row.name,
    /** Who did the work; null where it was the portal itself, or it got no further. */
    server: first?.server ?? null,
    upstream: row.upstream ?? [],
    outcome: row.outcome,
    status: row.status,
    error: row.error,
    at: isoTime(row.started_at),
    duration_ms: Math.round((row.ended_at - row.started_at) * 1000) / 1000,
    request_bytes: row.request_bytes,
    response_bytes: row.response_bytes,
    /** The turns of the calls themselves, with arguments and results. */
    conversation_id: row.conversation_id,
  }
}
