import { expect, test } from 'bun:test'
import { pipelined, together } from '../../src/capture/storing/pipeline.ts'
import { testDatabase } from '../support/postgres.ts'

test('nothing is under way any more when work fails that sent statements', async () => {
  const slow = Promise.withResolvers<void>()
  let over = false
  const work = pipelined(async (send) => {
    send(
      slow.promise.then(() => {
        over = true
      }),
    )
    throw new Error('the work')
  })
  slow.resolve()
  await expect(work).rejects.toThrow('the work')
  expect(over).toBe(true)
})

test('nothing is under way any more when one of two fails', async () => {
  const slow = Promise.withResolvers<void>()
  let over = false
  const second = slow.promise.then(() => {
    over = true
  })
  const both = together(Promise.reject(new Error('the first')), second)
  slow.resolve()
  await expect(both).rejects.toThrow('the first')
  expect(over).toBe(true)
})

test('of statements that are sent together the one that failed says why, not those after it', async () => {
  const { sql, drop } = await testDatabase()
  const transaction = sql.begin((tx) =>
    pipelined(async (send) => {
      send(tx`insert into erasures (count) values (1)`)
      send(Promise.all([tx`select 1 / ${0}::int`]).then(async (rows) => rows))
      send(tx`select 2`)
    }),
  )
  await expect(transaction).rejects.toMatchObject({ code: '22012' })
  expect(await sql`select count(*)::int as n from erasures where count = 1`).toMatchObject([{ n: 0 }])
  await drop()
}, 60_000)
