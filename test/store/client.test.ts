import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openStore, startEmbedded } from '#store'
import { temporaryFolder } from '../support/folder.ts'
import { leastGrowth } from '../support/growth.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 30_000)

afterAll(async () => await database.drop())

test('bigint arrives as a number, and json and bytes as they were', async () => {
  const bytes = new Uint8Array([0, 255, 128])
  const [row] = await database.sql`
    select 9007199254740991::bigint as big, array[1, 2]::bigint[] as list, ${bytes}::bytea as bytes,
      ${database.sql.json({ a: 'ü' })}::jsonb as json`
  expect(row?.big).toBe(9007199254740991)
  expect(row?.list).toEqual([1, 2])
  expect(new Uint8Array(row?.bytes)).toEqual(bytes)
  expect(row?.json).toEqual({ a: 'ü' })
})

test('a thousand queries at once each get their own answer', async () => {
  const numbers = Array.from({ length: 1_000 }, (_, index) => index)
  const answers = await Promise.all(
    numbers.map(async (n) => (await database.sql`select ${n}::int as n, ${`text ${n}`} as text`)[0]),
  )
  expect(answers).toEqual(numbers.map((n) => ({ n, text: `text ${n}` })))
})

test('a million inserts with nulls leave memory flat', async () => {
  const { sql } = database
  await sql`create table nullable (id int, note text)`
  const insert = async (batches: number) => {
    for (let batch = 0; batch < batches; batch += 1) {
      const notes = Array.from({ length: 10_000 }, (_, index) => (index % 3 === 0 ? null : `note ${index}`))
      await sql`insert into nullable select ${batch}, unnest(${notes}::text[])`
    }
  }
  await insert(20)
  expect(await leastGrowth(() => insert(40), 2)).toBeLessThan(32)
  expect([...(await sql`select count(*) as n, count(note) as notes from nullable`)]).toEqual([
    { n: 1_000_000, notes: 666_600 },
  ])
}, 60_000)

test.each([1, 2, 10])('a pool of %d outlives the loss of its connections', async (max) => {
  const { sql, close } = openStore(database.url, { max, name: 'store under test' })
  await Promise.all(Array.from({ length: max }, () => sql`select pg_sleep(0.01)`))
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'store under test'`
  await until('it answers again', async () => (await sql`select 1 as one`.catch(() => []))[0]?.one === 1)
  expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
  await close()
})

test('a listener hears again after the loss of its connection', async () => {
  const { sql, close } = openStore(database.url, { max: 2, name: 'listener under test' })
  const heard: string[] = []
  let listening = 0
  await sql.listen(
    'news',
    (payload) => heard.push(payload),
    () => {
      listening += 1
    },
  )
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener under test'`
  await until('it listens again', () => listening === 2)
  await database.sql.notify('news', 'again')
  await until('it hears', () => heard.includes('again'))
  await close()
}, 20_000)

test('a transaction that outlived its connection cannot touch another one', async () => {
  const { sql, close } = openStore(database.url, { max: 1, name: 'transaction under test' })
  await sql`create table kept (who text)`
  const inserted = Promise.withResolvers<void>()
  const late = Promise.withResolvers<void>()
  const lateDone = Promise.withResolvers<unknown>()
  const lost = sql.begin(async (tx) => {
    await tx`insert into kept values ('lost')`
    inserted.resolve()
    await late.promise
    await tx`insert into kept values ('late')`.then(lateDone.resolve, lateDone.resolve)
    await tx`commit`.catch(() => {})
  })
  lost.catch(() => {})
  await inserted.promise
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'transaction under test'`
  await expect(lost).rejects.toThrow()
  await until('the pool is back', async () => (await sql`select 1 as one`.catch(() => []))[0]?.one === 1)
  await sql
    .begin(async (tx) => {
      await tx`insert into kept values ('other')`
      late.resolve()
      await lateDone.promise
      throw new Error('rolled back')
    })
    .catch(() => {})
  expect(await lateDone.promise).toBeInstanceOf(Error)
  expect([...(await sql`select who from kept`)]).toEqual([])
  await close()
}, 20_000)

test('every query settles when the server is killed and comes back', async () => {
  const dir = temporaryFolder()
  const server = await startEmbedded({ dir, durable: false })
  const { sql, close } = openStore(server.url, { max: 4 })
  let back = false
  let answered = 0
  let failed = 0
  const load = Array.from({ length: 40 }, async () => {
    for (let mine = 0; mine < 50 || !back; mine += 1) {
      await sql
        .begin((tx) => tx`select pg_sleep(0.001)`)
        .then(
          () => (answered += 1),
          () => (failed += 1),
        )
      if (failed > 0 && !back) await Bun.sleep(5) // the pace of what fails at once
    }
  })
  await until('some were answered', () => answered > 100)
  process.kill(server.pid, 'SIGKILL')
  await until('some failed', () => failed > 0)
  await server.stop()
  const again = await startEmbedded({ dir, port: server.port, durable: false })
  await until('it answers again', async () => (await sql`select 1 as one`.catch(() => []))[0]?.one === 1)
  back = true
  await Promise.all(load)
  await close()
  await again.stop()
}, 40_000)
