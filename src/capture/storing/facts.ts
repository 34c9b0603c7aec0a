import type { TransactionSql } from 'postgres'
import { cleanText } from '#lib/errors'
import { idFloor, idTime } from '#lib/ids'
import type { McpFacts } from '../exchange.ts'
import type { ToolUse } from '../interpretation.ts'
import { clipped } from './bounded.ts'
import { type Column, insertRows } from './insert.ts'
import type { Item } from './item.ts'

type ToolUseRow = ToolUse & { exchange: string; place: number }

type McpRow = McpFacts & { item: Item }

const mostToolUses = 256

/** Stores what exchanges are found by beside their own columns: the facts of MCP, and the tool uses of answers. */
export async function storeFacts(tx: TransactionSql, items: readonly Item[]): Promise<void> {
  const toolUses = items.flatMap(toolUseRows)
  if (toolUses.length > 0) await insertRows(tx, 'tool_uses', toolUseColumns, toolUses)
  const facts = items.flatMap(mcpRow)
  if (facts.length > 0) await insertRows(tx, 'mcp_exchanges', mcpColumns, facts)
}

/** What was stored before goes first. */
export async function replaceFacts(tx: TransactionSql, items: readonly Item[]): Promise<void> {
  const times = items.map((item) => idTime(item.id))
  const [floor, ceiling] = [idFloor(Math.min(...times)), idFloor(Math.max(...times) + 1)]
  const ids = items.map((item) => item.id)
  await tx`delete from tool_uses where id = any(${ids}::uuid[]) and id >= ${floor} and id < ${ceiling}`
  await tx`delete from mcp_exchanges where id = any(${ids}::uuid[]) and id >= ${floor} and id < ${ceiling}`
  await storeFacts(tx, items)
}

function toolUseRows({ id: exchange, means }: Item): ToolUseRow[] {
  const uses = means.tool_uses ?? []
  if (uses.length === 0) return []
  const each = new Map(uses.slice(0, mostToolUses).map((use) => [clipped(cleanText(use.id)), use]))
  return [...each].map(([id, { name }], place) => ({ id, name: clipped(name), exchange, place }))
}

function mcpRow(item: Item): McpRow[] {
  const told = item.exchange.open.mcp
  if (told === undefined) return []
  const found = item.means.mcp ?? {}
  return [
    {
      item,
      hop: told.hop,
      peer: clipped(told.peer),
      rpc: clipped(told.rpc ?? found.rpc ?? null),
      name: clipped(told.name ?? found.name ?? null),
      session: clipped(told.session),
      client_session: clipped(told.client_session ?? found.client_session ?? null),
      client_agent: clipped(told.client_agent ?? found.client_agent ?? null),
      tool_use: clipped(told.tool_use ?? found.tool_use ?? null),
    },
  ]
}

const toolUseColumns: Column<ToolUseRow>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.exchange },
  { name: 'tool_use', kind: 'text', value: (row) => row.id },
  { name: 'place', kind: 'number', value: (row) => row.place },
  { name: 'name', kind: 'text', value: (row) => row.name },
]

const mcpColumns: Column<McpRow>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.item.id },
  { name: 'tenant', kind: 'text', value: (row) => row.item.tenant },
  { name: 'hop', kind: 'text', value: (row) => row.hop },
  { name: 'peer', kind: 'text', value: (row) => row.peer },
  { name: 'rpc', kind: 'text', value: (row) => row.rpc },
  { name: 'name', kind: 'text', value: (row) => row.name },
  { name: 'session', kind: 'text', value: (row) => row.session },
  { name: 'client_session', kind: 'text', value: (row) => row.client_session ?? null },
  { name: 'client_agent', kind: 'text', value: (row) => row.client_agent ?? null },
  { name: 'tool_use', kind: 'text', value: (row) => row.tool_use },
  { name: 'parent', kind: 'uuid', value: (row) => row.item.exchange.open.parent ?? null },
]
