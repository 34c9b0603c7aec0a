import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { LoggingHandler, LoggingOptions } from '../../src/capture/consumers.ts'
import { upkeepHandler } from '../../src/capture/consumers.ts'
import { openCommits } from '../../src/capture/storing/commits.ts'
import { readContent } from '../../src/capture/storing/content.ts'
import { partitioned } from '../../src/capture/storing/partitions.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, job, quiet, stored } from './store-support.ts'
import { sameExchange } from './support.ts'

const handlers: LoggingHandler[] = []

/** Closed after its test, so that it indexes nothing of the next one's. */
function opened(options: Partial<LoggingOptions> = {}): LoggingHandler {
  const handler = handlerOn(database.sql, options)
  handlers.push(handler)
  return handler
}

afterEach(async () => {
  await Promise.all(handlers.splice(0).map((handler) => handler.close()))
})

const dayMs = 86_400_000
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

async function partitions(): Promise<number> {
  const [row] = await database.sql`
    select count(*) as n from pg_class where relispartition and relkind = 'r'`
  return Number(row?.n)
}

async function upkeepOf(retentionDays?: number): Promise<void> {
  const handler = upkeepHandler({ sql: database.sql, retentionDays, log: quiet })
  await handler({ v: 1, task: 'partitions' }, job)
  await handler({ v: 1, task: 'retention' }, job)
}

test('the partitions of the next days are there, also when many make them at once', async () => {
  await Promise.all([upkeepOf(), upkeepOf(), upkeepOf()])
  expect(await partitions()).toBe(4 * partitioned.length)
})

test('R13: what is past retention is dropped with its partitions, and the rest stays readable', async () => {
  const handler = opened({ retentionDays: 7 })
  // A day is kept until the last of it is too old.
  const firstKept = Math.floor(Date.now() / dayMs - 7) * dayMs
  const old = called({ messages: ['user: old'] }, { at: firstKept - 1_000 })
  const kept = called({ messages: ['user: kept'] }, { at: firstKept })
  await stored(handler, [old, kept])
  for (const [reason, at] of [
    ['old', firstKept - 1_000],
    ['kept', firstKept],
  ] as const)
    await database.sql`
      insert into quarantine (id, spool, batch, reason, bytes, created_at)
      values (${newId()}, 'aside-0', '1', ${reason}, 'x', to_timestamp(${at / 1_000}::float8))`
  await handler.indexed()
  const before = await partitions()
  await upkeepOf(7)
  expect(await partitions()).toBe(before - partitioned.length)
  expect(await readContent(database.sql, old.open.id)).toBeNull()
  sameExchange((await readContent(database.sql, kept.open.id)) ?? undefined, kept)
  const ids = await database.sql`select id from conversations order by id`
  expect(ids.map((row) => row.id)).toEqual([kept.open.id])
  const aside = await database.sql`select reason from quarantine where spool = 'aside-0'`
  expect(aside.map((row) => row.reason)).toEqual(['kept'])
})

test('an exchange that comes after its day was dropped is stored all the same', async () => {
  const handler = opened({ retentionDays: 7 })
  const at = Date.now() - 20 * dayMs
  await stored(handler, [called({ messages: ['user: late one'] }, { at })])
  await upkeepOf(7)
  const late = called({ messages: ['user: late two'] }, { at: at + 1000 })
  expect(await stored(handler, [late])).toEqual({ stored: 1, quarantined: 0 })
  sameExchange((await readContent(database.sql, late.open.id)) ?? undefined, late)
})

test('a partition whose detaching was cut off is dropped by the next upkeep', async () => {
  await stored(opened(), [called({ messages: ['user: cut'] }, { at: Date.UTC(2020, 0, 1) })])
  await database.sql`alter table turns detach partition turns_20200101`
  await upkeepOf(7)
  await stored(opened(), [called({ messages: ['user: cut'] }, { at: Date.UTC(2020, 0, 1) + 1 })])
})

test('markers below the floor are pruned, and with them the parts of finished batches', async () => {
  const handler = opened()
  const ref = { spool: 'prune-0' }
  for (const batch of ['1', '2', '3'])
    await stored(handler, [called({ messages: ['user: x'] })], { ...ref, batch, floor: Number(batch) })
  await database.sql`insert into spool_parts (spool, batch, part, frames) values ('prune-0', '2', 0, 'x'), ('prune-0', '9', 0, 'x')`
  await upkeepOf()
  const markers = await database.sql`select batch from spool_batches where spool = 'prune-0'`
  expect(markers.map((row) => row.batch)).toEqual(['3'])
  const parts = await database.sql`select batch from spool_parts`
  expect(parts.map((row) => row.batch)).toEqual(['9'])
})

test("a spool's ledger is published beside what workers committed", async () => {
  const ledger = {
    accepted: 9,
    stored: 4,
    spooled: 3,
    queued: 2,
    quarantined: 0,
    dropped: 0,
    open: 1,
    bytes: 5,
    max_bytes: 6,
  }
  await stored(opened(), [called({ messages: ['user: ledger'] })], { spool: 'ledger-0' })
  const commits = openCommits(database.sql)
  await commits.report({ spool: 'ledger-0', ...ledger, accepted: 8 })
  await commits.report({ spool: 'ledger-0', ...ledger })
  const [row] = await database.sql`select * from spools where id = 'ledger-0'`
  expect(row).toMatchObject({ ...ledger, committed: 1, committed_quarantined: 0 })
})

test('what a worker left unindexed is indexed by the next upkeep, traffic or not', async () => {
  const dying = opened()
  await dying.close()
  await stored(dying, [called({ messages: ['user: leftover'], reply: null })])
  await upkeepOf()
  const [row] = await database.sql`
    select (select count(*) from search_pending) as waiting, (select count(*) from turn_words) as indexed`
  expect(row?.waiting).toBe(0)
  expect(row?.indexed).toBeGreaterThan(0)
})
