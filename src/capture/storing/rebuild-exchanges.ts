import type { Sql, TransactionSql } from 'postgres'
import { errorText } from '#lib/errors'
import { idFloor, idTime } from '#lib/ids'
import type { Logger } from '#lib/log'
import type { Interpret } from '../interpretation.ts'
import type { Contents } from './content.ts'
import { lockConversations, writeConversations } from './conversations.ts'
import { derive } from './derive.ts'
import { costColumns, derivedColumns, type ExchangeRow, idColumn } from './exchange-rows.ts'
import { replaceFacts } from './facts.ts'
import { failureOf } from './failure.ts'
import { updateRows } from './insert.ts'
import { type Item, itemOf } from './item.ts'
import { makePartitions } from './partitions.ts'
import type { Run } from './rebuild-run.ts'
import { threadByHistory } from './threading.ts'
import { addTurns, readKnownKeys } from './turns.ts'

export type RebuildTools = {
  sql: Sql
  interpret: Interpret
  log: Logger
  prices: boolean
  contents: Contents
  /** Days whose partitions are there. */
  days: Set<number>
}

/** One step: bounded in rows and in bytes. */
const mostExchanges = 64
const mostBytes = 8 * 1024 * 1024

/** No conversation's id is below. */
const lowestId = '00000000-0000-0000-0000-000000000000'

/** Derives the next exchanges again, in one transaction. */
export async function rebuildSome(tools: RebuildTools, run: Run): Promise<Run> {
  const { sql } = tools
  const next = await sql<{ id: string; former: string | null; bytes: number }[]>`
    select id, conversation_id as former, request_bytes + response_bytes as bytes from exchanges
    where id > ${run.position} and id < ${run.until} and mode <> 'erased' order by id limit ${mostExchanges}`
  if (next.length === 0) return { ...run, phase: 'conversations', position: lowestId }
  const items: Item[] = []
  let [bytes, failed, position] = [0, 0, run.position]
  for (const { id, former, bytes: own } of next) {
    if (bytes > 0 && bytes + own > mostBytes) break
    bytes += own
    position = id
    const item = await readItem(tools, id, former)
    if (item === null) failed += 1
    else items.push(item)
  }
  await makeMissing(tools, items)
  await sql.begin((tx) => replaceDerived(tx, items, tools.prices))
  return { ...run, position, done: run.done + items.length, failed: run.failed + failed }
}

/** A day that is older than one of its tables has no partition of it yet. */
async function makeMissing({ sql, days }: RebuildTools, items: readonly Item[]): Promise<void> {
  const missing = [...new Set(items.map((item) => item.day))].filter((day) => !days.has(day))
  if (missing.length > 0) await makePartitions(sql, missing)
  for (const day of missing) days.add(day)
}

/** Null where the bytes are damaged: what was derived from them when they were whole is then all there is. */
async function readItem(
  { contents, interpret, log }: RebuildTools,
  id: string,
  former: string | null,
): Promise<Item | null> {
  const fail = (reason: string) =>
    log.error({ exchange: id, reason }, 'rebuild: an exchange was left as it is')
  try {
    const exchange = await contents.read(id)
    if (exchange === null) throw new Error('its content is missing')
    let readable = true
    const onUnreadable = (_: string, reason: string) => {
      readable = false
      fail(reason)
    }
    const derived = derive(exchange, { interpret, onUnreadable })
    return readable ? itemOf(derived, former) : null
  } catch (error) {
    if (failureOf(error) !== 'poison') throw error
    fail(errorText(error))
    return null
  }
}

/** Its own old turns go first, so that an exchange is not recognised by what a fault once made of it. */
async function replaceDerived(tx: TransactionSql, items: readonly Item[], prices: boolean): Promise<void> {
  if (items.length === 0) return
  await dropTurns(tx, items)
  await replaceFacts(tx, items)
  const placed = await threadByHistory(tx, items)
  for (const { id, thread } of items) if (thread.by === 'session') placed.set(id, thread.conversation)
  const conversations = await lockConversations(tx, items, placed, { mayExist: true })
  const conversationOf = (item: Item) => conversations.get(placed.get(item.id) ?? '')
  const known = await readKnownKeys(tx, items, conversationOf)
  await addTurns(tx, items, { conversationOf, known })
  await writeConversations(tx, conversations.values())
  const columns = prices ? [...derivedColumns, ...costColumns] : derivedColumns
  const rows: ExchangeRow[] = items.map((item) => ({
    item,
    spool: '',
    conversation: placed.get(item.id) ?? null,
  }))
  const names = columns.map((column) => column.name)
  const own = names.map((name) => `exchanges.${name}`).join(', ')
  const found = names.map((name) => `new.${name}`).join(', ')
  await updateRows(tx, 'exchanges', [idColumn, ...columns], rows, {
    set: names.map((name) => `${name} = new.${name}`).join(', '),
    where: `exchanges.id = new.id and (${own}) is distinct from (${found})`,
  })
}

async function dropTurns(tx: TransactionSql, items: readonly Item[]): Promise<void> {
  const times = items.map((item) => idTime(item.id))
  const [floor, ceiling] = [idFloor(Math.min(...times)), idFloor(Math.max(...times) + 1)]
  const dropped = await tx<{ id: string }[]>`
    delete from turns where exchange_id = any(${items.map((item) => item.id)}::uuid[])
      and id >= ${floor} and id < ${ceiling} and not by_tool returning id`
  await tx`
    delete from turn_words where id = any(${dropped.map((turn) => turn.id)}::uuid[])
      and id >= ${floor} and id < ${ceiling}`
}
