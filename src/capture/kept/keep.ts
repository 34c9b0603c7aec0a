import type { Sql, TransactionSql } from 'postgres'
import { isoTime } from '#lib/clock'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { notFound } from '../reading/query.ts'
import { digest16 } from '../storing/derive.ts'
import { indexEntries } from '../storing/indexer.ts'
import { insertRows } from '../storing/insert.ts'
import { withToday } from '../storing/partitions.ts'
import { slices } from '../storing/slices.ts'
import type { Message } from './message.ts'
import { type KeptTurn, keptColumns } from './turn-row.ts'

export type NewConversation = {
  tenant: string
  session?: string | undefined
  metadata?: Record<string, unknown> | undefined
}

/** A conversation that an agent begins itself. */
export async function beginConversation(sql: Sql | TransactionSql, asked: NewConversation, now = Date.now()) {
  const id = newId(now)
  await sql`
    insert into conversations (id, tenant, client, session, metadata, by_tool, started_at, last_at)
    values (${id}, ${asked.tenant}, 'tool', ${asked.session ?? null}, ${asked.metadata === undefined ? null : sql.json(asked.metadata as never)}, true,
      ${isoTime(now)}, ${isoTime(now)})`
  return { id, at: now }
}

export type Keeping = {
  /** One that is there, of that tenant or with null of any; or a new one. */
  into: { id: string; tenant: string | null } | NewConversation
  messages: readonly Message[]
  /** Of the call that says so. */
  exchange: string
}

export type Kept = { conversation: string; turns: { id: string; number: number }[]; at: number }

/**
 * Stores messages as turns, all or none, and makes them searchable.
 * @throws SluiceError 404; 409 where a number is taken
 */
export async function keepMessages(sql: Sql, { into, messages, exchange }: Keeping): Promise<Kept> {
  const now = Date.now()
  const kept = await withToday(sql, () =>
    sql.begin(async (tx) => {
      const conversation =
        'id' in into ? await lock(tx, into) : { ...(await beginConversation(tx, into, now)), ...fresh(into) }
      const rows = await number(tx, conversation, messages)
      const turns = rows.map(({ message, number: at }): KeptTurn => {
        const id = newId(now)
        const key = digest16('kept', id).toString('hex')
        return {
          id,
          number: at,
          message,
          key,
          exchange,
          conversation: conversation.id,
          tenant: conversation.tenant,
        }
      })
      for (const slice of slices(turns, ({ message }) => message.content.length))
        await insertRows(tx, 'turns', keptColumns, slice)
      await tx`
        update conversations set turns = turns + ${turns.length}, last_at = greatest(last_at, ${isoTime(now)}),
          last_number = ${Math.max(conversation.last_number, ...turns.map((turn) => turn.number))}
        where id = ${conversation.id}`
      return { conversation: conversation.id, turns, entries: await queue(tx, turns) }
    }),
  )
  await indexEntries(sql, kept.entries)
  return { conversation: kept.conversation, turns: kept.turns, at: now }
}

type Locked = { id: string; tenant: string; last_number: number }

const fresh = ({ tenant }: NewConversation) => ({ tenant, last_number: 0 })

async function lock(
  tx: TransactionSql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<Locked> {
  const [row] = await tx<Locked[]>`
    select id, tenant, last_number from conversations
    where id = ${id} ${tenant === null ? tx`` : tx`and tenant = ${tenant}`} for update`
  if (row === undefined) throw notFound('conversation')
  return row
}

/** The row of the conversation is locked: nobody else numbers its turns. */
async function number(tx: TransactionSql, { id, last_number: last }: Locked, messages: readonly Message[]) {
  const asked = messages.flatMap(({ turn_number: wanted }) => wanted ?? [])
  const taken = new Set(asked.length === 0 ? [] : await takenOf(tx, id, asked))
  let next = last
  return messages.map((message) => {
    const number = message.turn_number ?? next + 1
    if (taken.has(number)) throw numberTaken(number)
    taken.add(number)
    next = Math.max(next, number)
    return { message, number }
  })
}

async function takenOf(tx: TransactionSql, id: string, numbers: readonly number[]): Promise<number[]> {
  const rows = await tx<{ number: number }[]>`
    select number from turns where conversation_id = ${id} and number = any(${[...numbers]}::int[])`
  return rows.map((row) => row.number)
}

function numberTaken(number: number): SluiceError {
  return new SluiceError(
    409,
    'turn-taken',
    `storing a message: the conversation has a turn ${number} already`,
  )
}

/**
 * In entries small enough that no transaction of the index is long. What is left when this process dies, a worker
 * does.
 */
async function queue(tx: TransactionSql, turns: readonly KeptTurn[]): Promise<number[]> {
  const found = turns.filter(({ message }) => message.content !== '' && message.role !== 'system')
  const entries: number[] = []
  for (let at = 0; at < found.length; at += 32) {
    const ids = found.slice(at, at + 32).map(({ id }) => id)
    const [row] = await tx<
      { id: number }[]
    >`insert into search_pending (turns) values (${ids}::uuid[]) returning id`
    if (row !== undefined) entries.push(row.id)
  }
  return entries
}
