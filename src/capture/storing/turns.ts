import type { TransactionSql } from 'postgres'
import { idFloor, idTime, newId } from '#lib/ids'
import type { Conversation } from './conversations.ts'
import { type Column, insertRows } from './insert.ts'
import type { Item } from './item.ts'
import type { KeyedTurn } from './keys.ts'
import { pipelined } from './pipeline.ts'
import { slices } from './slices.ts'

/** The clock of a long-lived process and the one that ids are made from may drift apart. */
const clockSlackMs = 3_600_000

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

type ConversationOf = (item: Item) => Conversation | undefined

/**
 * Adds what these items say that their conversations do not have yet, and numbers it on. The conversations are
 * locked, so nobody else adds to them; they are brought up to date before anything is sent.
 * @param known as `readKnownKeys` found it
 */
export async function addTurns(
  tx: TransactionSql,
  items: readonly Item[],
  { conversationOf, known }: { conversationOf: ConversationOf; known: Set<string> },
): Promise<void> {
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
  await pipelined(async (send) => {
    send(queueForSearch(tx, rows))
    for (const slice of slices(rows, (row) => row.text.length)) await insertRows(tx, 'turns', columns, slice)
  })
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
export async function readKnownKeys(
  tx: TransactionSql,
  items: readonly Item[],
  conversationOf: ConversationOf,
): Promise<Set<string>> {
  const wants = new Map<string, { key: string; conversation: Conversation }>()
  for (const item of items) {
    const conversation = conversationOf(item)
    if (conversation === undefined || conversation.turns === 0) continue
    for (const { key } of item.turns) wants.set(`${conversation.id} ${key}`, { key, conversation })
  }
  if (wants.size === 0) return new Set()
  const [names, list] = [[...wants.keys()], [...wants.values()]]
  const rows = await tx<{ place: number }[]>`
    select want.place from unnest(
      ${list.map((want) => want.key)}::text[], ${list.map((want) => want.conversation.id)}::uuid[],
      ${list.map((want) => idFloor(want.conversation.startedAt - clockSlackMs))}::uuid[]
    ) with ordinality as want (key, conversation, floor, place)
    cross join lateral (
      select from turns
      where key = decode(want.key, 'hex') and conversation_id = want.conversation and id >= want.floor limit 1
    ) as found`
  return new Set(rows.map((row) => names[row.place - 1] ?? ''))
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
