import type { TransactionSql } from 'postgres'
import { idFloor, idTime, newId } from '#lib/ids'
import type { Conversation } from './conversations.ts'
import { type Column, insertRows } from './insert.ts'
import type { Item } from './item.ts'
import type { KeyedTurn } from './keys.ts'
import { slices } from './slices.ts'

type TurnRow = {
  id: string
  conversation: string
  number: number
  key: string
  tenant: string
  role: string
  exchange: string
  reply: boolean
  text: string
}

/**
 * Adds what these items say that their conversations do not have yet, and numbers it on. The conversations are
 * locked, so nobody else adds to them.
 */
export async function addTurns(
  tx: TransactionSql,
  items: readonly Item[],
  conversationOf: (item: Item) => Conversation | undefined,
): Promise<void> {
  const known = await readKnownKeys(tx, items, conversationOf)
  const rows: TurnRow[] = []
  for (const item of items) {
    const conversation = conversationOf(item)
    if (conversation === undefined) continue
    for (const turn of item.turns) {
      const name = `${conversation.id} ${turn.key}`
      if (turn.message.role !== 'system') conversation.tip = turn.key
      if (known.has(name)) continue
      known.add(name)
      conversation.turns += 1
      conversation.lastNumber += 1
      rows.push(rowOf(item, turn, conversation))
    }
  }
  for (const slice of slices(rows, (row) => row.text.length)) await insertRows(tx, 'turns', columns, slice)
  await queueForSearch(tx, rows)
}

function rowOf(item: Item, turn: KeyedTurn, conversation: Conversation): TurnRow {
  return {
    // In the partition of its exchange, so that both go together.
    id: newId(idTime(item.id)),
    conversation: conversation.id,
    number: conversation.lastNumber,
    key: turn.key,
    tenant: item.tenant,
    role: turn.message.role,
    exchange: item.id,
    reply: turn.message === item.means.reply,
    text: turn.message.text,
  }
}

/** Which of the items' turns are stored, as `<conversation> <key>`. */
async function readKnownKeys(
  tx: TransactionSql,
  items: readonly Item[],
  conversationOf: (item: Item) => Conversation | undefined,
): Promise<Set<string>> {
  const conversations = new Map<string, Conversation>()
  const keys = new Set<string>()
  for (const item of items) {
    const conversation = conversationOf(item)
    if (conversation === undefined || conversation.turns === 0) continue
    conversations.set(conversation.id, conversation)
    for (const turn of item.turns) keys.add(turn.key)
  }
  if (keys.size === 0) return new Set()
  const floor = idFloor(Math.min(...[...conversations.values()].map((found) => found.startedAt)))
  const rows = await tx<{ name: string }[]>`
    select conversation_id || ' ' || encode(key, 'hex') as name from turns
    where key = any(array(select decode(k, 'hex') from unnest(${[...keys]}::text[]) as k))
      and conversation_id = any(${[...conversations.keys()]}::uuid[]) and id >= ${floor}`
  return new Set(rows.map((row) => row.name))
}

/** Not what the system says: it is the same in thousands of conversations, and nobody's find. */
async function queueForSearch(tx: TransactionSql, rows: readonly TurnRow[]): Promise<void> {
  const ids = rows.filter((row) => row.text !== '' && row.role !== 'system').map((row) => row.id)
  if (ids.length > 0) await tx`insert into search_pending (turns) values (${ids}::uuid[])`
}

const columns: Column<TurnRow>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.id },
  { name: 'conversation_id', kind: 'uuid', value: (row) => row.conversation },
  { name: 'number', kind: 'number', value: (row) => row.number },
  { name: 'key', kind: 'bytes', value: (row) => Buffer.from(row.key, 'hex') },
  { name: 'tenant', kind: 'text', value: (row) => row.tenant },
  { name: 'role', kind: 'text', value: (row) => row.role },
  { name: 'exchange_id', kind: 'uuid', value: (row) => row.exchange },
  { name: 'reply', kind: 'flag', value: (row) => row.reply },
  { name: 'text', kind: 'text', wide: true, value: (row) => row.text },
]
