import type { TransactionSql } from 'postgres'
import type { SessionRef } from '../interpretation.ts'
import { clipped } from './bounded.ts'
import { type Column, insertRows, updateRows } from './insert.ts'
import type { Item } from './item.ts'

/** A conversation while a batch adds to it. Its row is locked, unless it is new and nobody else can know its id. */
export type Conversation = {
  id: string
  tenant: string
  parent: string | null
  ref: SessionRef | null
  fresh: boolean
  startedAt: number
  lastAt: number
  exchanges: number
  turns: number
  lastNumber: number
  tip: string | null
  models: Set<string>
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  reasoning: number
  cost: number
}

/**
 * The conversations of these items, their rows locked in the order of their ids, so that workers that meet in two
 * of them do not wait for each other in a circle.
 */
export async function lockConversations(
  tx: TransactionSql,
  items: readonly Item[],
  placed: ReadonlyMap<string, string>,
  { mayExist = false } = {},
): Promise<Map<string, Conversation>> {
  const wanted = new Map<string, Conversation>()
  for (const item of items) {
    const id = placed.get(item.id)
    if (id === undefined || wanted.has(id)) continue
    const fresh = !mayExist && id === item.id && item.thread.by === 'history'
    wanted.set(id, emptyConversation(id, item, fresh))
  }
  const named = [...wanted.values()]
    .filter(({ ref, fresh }) => mayExist || (ref !== null && !fresh))
    .sort(byId)
  await insertRows(tx, 'conversations', columns, named, 'on conflict (id) do nothing')
  const old = [...wanted.values()].filter((conversation) => !conversation.fresh)
  for (const row of await readLocked(tx, old)) {
    const conversation = wanted.get(row.id)
    if (conversation !== undefined) Object.assign(conversation, row, { models: new Set(row.models) })
  }
  return wanted
}

function emptyConversation(
  id: string,
  { tenant, thread, means, exchange }: Item,
  fresh: boolean,
): Conversation {
  return {
    id,
    tenant,
    parent: thread.by === 'session' ? thread.parent : null,
    ref: thread.by === 'session' ? means.session : null,
    fresh,
    startedAt: exchange.open.started_at,
    lastAt: exchange.end.ended_at,
    exchanges: 0,
    turns: 0,
    lastNumber: 0,
    tip: null,
    models: new Set(),
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    reasoning: 0,
    cost: 0,
  }
}

type LockedRow = Pick<
  Conversation,
  'id' | 'startedAt' | 'lastAt' | 'turns' | 'exchanges' | 'lastNumber' | 'tip'
> & { models: string[] }

async function readLocked(tx: TransactionSql, conversations: readonly Conversation[]): Promise<LockedRow[]> {
  if (conversations.length === 0) return []
  const ids = conversations.map((conversation) => conversation.id)
  return await tx<LockedRow[]>`
    select id, extract(epoch from started_at)::float8 * 1000 as "startedAt",
      extract(epoch from last_at)::float8 * 1000 as "lastAt",
      exchanges, turns, last_number as "lastNumber", encode(tip, 'hex') as tip, models
    from conversations where id = any(${ids}::uuid[]) order by id for update`
}

/** Counts an exchange in. */
export function addExchange(conversation: Conversation, { exchange, means }: Item): void {
  conversation.startedAt = Math.min(conversation.startedAt, exchange.open.started_at)
  conversation.lastAt = Math.max(conversation.lastAt, exchange.end.ended_at)
  conversation.exchanges += 1
  const model = means.model_served ?? means.model_asked
  if (model !== null) conversation.models.add(model)
  conversation.input += means.usage?.input ?? 0
  conversation.output += means.usage?.output ?? 0
  conversation.cacheRead += means.usage?.cache_read ?? 0
  conversation.cacheWrite += means.usage?.cache_write ?? 0
  conversation.reasoning += means.usage?.reasoning ?? 0
  conversation.cost += means.cost?.micros ?? 0
}

/** Tokens and cost are added to what the row has; everything else is its new value. */
export async function writeConversations(
  tx: TransactionSql,
  conversations: Iterable<Conversation>,
): Promise<void> {
  const all = [...conversations].sort(byId)
  await insertRows(
    tx,
    'conversations',
    columns,
    all.filter((conversation) => conversation.fresh),
    'on conflict (id) do nothing',
  )
  const old = all.filter((conversation) => !conversation.fresh)
  await updateRows(tx, 'conversations', columns, old, {
    set: `started_at = new.started_at, last_at = new.last_at, exchanges = new.exchanges, turns = new.turns,
      last_number = new.last_number, tip = new.tip, models = new.models,
      ${sums.map((name) => `${name} = conversations.${name} + new.${name}`).join(', ')}`,
    where: 'conversations.id = new.id',
  })
}

const sums = [
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_micros',
]

const columns: Column<Conversation>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.id },
  { name: 'tenant', kind: 'text', value: (row) => row.tenant },
  { name: 'parent_id', kind: 'uuid', value: (row) => row.parent },
  { name: 'client', kind: 'text', value: (row) => clipped(row.ref?.client ?? null) },
  { name: 'session', kind: 'text', value: (row) => clipped(row.ref?.session ?? null) },
  { name: 'agent', kind: 'text', value: (row) => clipped(row.ref?.agent ?? null) },
  { name: 'models', kind: 'texts', value: (row) => [...row.models].sort() },
  { name: 'started_at', kind: 'time', value: (row) => row.startedAt },
  { name: 'last_at', kind: 'time', value: (row) => row.lastAt },
  { name: 'exchanges', kind: 'number', value: (row) => row.exchanges },
  { name: 'turns', kind: 'number', value: (row) => row.turns },
  { name: 'last_number', kind: 'number', value: (row) => row.lastNumber },
  { name: 'tip', kind: 'bytes', value: (row) => (row.tip === null ? null : Buffer.from(row.tip, 'hex')) },
  { name: 'input_tokens', kind: 'number', value: (row) => row.input },
  { name: 'output_tokens', kind: 'number', value: (row) => row.output },
  { name: 'cache_read_tokens', kind: 'number', value: (row) => row.cacheRead },
  { name: 'cache_write_tokens', kind: 'number', value: (row) => row.cacheWrite },
  { name: 'reasoning_tokens', kind: 'number', value: (row) => row.reasoning },
  { name: 'cost_micros', kind: 'number', value: (row) => row.cost },
]

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
