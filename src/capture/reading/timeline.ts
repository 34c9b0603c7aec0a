import type postgres from 'postgres'
import { z } from 'zod'
import { idTime } from '#lib/ids'
import {
  type Between,
  type CallItem,
  type CallRow,
  callItem,
  mostCalls,
  readCalls,
  readToolUses,
  type ToolUseRow,
} from './caused.ts'
import type { ConversationRow } from './conversation-item.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { readTurns, shownLength, type TurnItem, type TurnRow, turnItem } from './turns.ts'

/** A turn, and what it asked for; each with the calls that it became, as far as they are on record. */
export type TimelineTurn = { type: 'turn' } & TurnItem & {
    tool_uses: { id: string; name: string | null; calls: string[] }[]
  }

export type Timeline = {
  items: (TimelineTurn | CallItem)[]
  next_cursor: string | null
  /** Were there more calls than are shown? */
  more_calls: boolean
}

type Asked = { limit: number; cursor?: string | undefined; order: 'asc' | 'desc' }

/**
 * The turns of a conversation and between them the calls of tools that they caused, in the order in which it all
 * happened. A call comes after the answer that asked for it; one that names none, after what was said before it.
 */
export async function readTimeline(
  sql: postgres.Sql,
  conversation: ConversationRow,
  asked: Asked,
): Promise<Timeline> {
  const { limit, order } = asked
  const [position, edge] = readCursor(z.tuple([z.int(), z.int()]), asked.cursor) ?? []
  const rows = await readTurns(sql, conversation, { limit: limit + 1, position, order, length: shownLength })
  const turns = rows.slice(0, limit)
  const more = rows.length > limit
  const between = spanOf(rows, { more, order, edge })
  const uses = await readToolUses(sql, conversation, between)
  const calls = await readCalls(sql, conversation, uses, between)
  const forward = order === 'asc' ? turns : turns.toReversed()
  const items = arranged(forward, uses, calls.slice(0, mostCalls))
  const last = turns.at(-1)
  const cursor = (order === 'asc' ? between.before : between.from) ?? 0
  return {
    items: order === 'asc' ? items : items.toReversed(),
    next_cursor: more && last !== undefined ? writeCursor([last.number, cursor]) : null,
    more_calls: calls.length > mostCalls,
  }
}

/** The time that a page covers: from its first turn up to that of the page after it. */
function spanOf(
  rows: readonly TurnRow[],
  { more, order, edge }: { more: boolean; order: 'asc' | 'desc'; edge: number | undefined },
): Between {
  if (order === 'asc') return { from: edge ?? null, before: more ? timeOf(rows.at(-1)) : null }
  return { from: more ? timeOf(rows.at(-2)) : null, before: edge ?? null }
}

function timeOf(row: TurnRow | undefined): number | null {
  return row === undefined ? null : idTime(row.id)
}

function arranged(
  turns: readonly TurnRow[],
  uses: readonly ToolUseRow[],
  calls: readonly CallRow[],
): (TimelineTurn | CallItem)[] {
  const usesOf = Map.groupBy(uses, (use) => use.exchange)
  const callsOf = Map.groupBy(calls, (call) => call.tool_use)
  const placed = Map.groupBy(calls, (call) => placeOf(call, { turns, uses }))
  const itemsAt = (place: number) => (placed.get(place) ?? []).map(callItem)
  const all: (TimelineTurn | CallItem)[] = itemsAt(-1)
  for (const [at, turn] of turns.entries()) {
    const asked = turn.reply ? (usesOf.get(turn.exchange_id) ?? []) : []
    const tool_uses = asked.map(({ tool_use, name }) => ({
      id: tool_use,
      name,
      calls: (callsOf.get(tool_use) ?? []).map((call) => call.id),
    }))
    all.push({ type: 'turn', ...turnItem(turn), tool_uses }, ...itemsAt(at))
  }
  return all
}

/** The turn behind which a call belongs: -1 is before all. */
function placeOf(
  call: CallRow,
  { turns, uses }: { turns: readonly TurnRow[]; uses: readonly ToolUseRow[] },
): number {
  const cause = uses.find((use) => use.tool_use === call.tool_use)?.exchange
  const asked = turns.findIndex((turn) => turn.reply && turn.exchange_id === cause)
  return asked === -1 ? turns.findLastIndex((turn) => idTime(turn.id) <= call.started_at) : asked
}
