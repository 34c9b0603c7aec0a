import { expect, test } from 'bun:test'
import { testDatabase } from './postgres.ts'

test('each test database is its own, and migrated', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()])
  await one.sql`create table mine ()`
  const [seen] = await two.sql`select to_regclass('mine') as mine, to_regclass('sluice_migrations') as log`
  expect(seen).toEqual({ mine: null, log: 'sluice_migrations' })
  await Promise.all([one.drop(), two.drop()])
})
