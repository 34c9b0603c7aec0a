import { expect, test } from 'bun:test'
import { jobsUpkeep } from '#jobs'
import { newId } from '#lib/ids'
import { testDatabase } from '../support/postgres.ts'

test('past retention jobs that have ended go with all their parts, and keys after a day', async () => {
  const database = await testDatabase()
  const { sql } = database
  const days = 86_400_000
  const plant = async (age: number, state: string) => {
    const id = newId(Date.now() - age * days)
    const at = new Date(Date.now() - age * days)
    const backoff = { type: 'fixed', ms: 1, max_ms: 1 }
    const row = {
      id,
      tenant: 'default',
      kind: 'echo',
      state,
      backoff: sql.json(backoff),
      created_at: at,
      ended_at: at,
    }
    await sql`insert into jobs ${sql(row as never)}`
    await sql`insert into job_bodies (job_id, part, body) values (${id}, 'input', 'x')`
    await sql`
      insert into job_idempotency (tenant, key, body_sha256, job_id, answer, created_at)
      values ('default', ${id}, 'x', ${id}, '{}', ${at})`
    return id
  }
  await plant(40, 'succeeded')
  const running = await plant(40, 'running')
  const young = await plant(2, 'failed')
  const fresh = await plant(0, 'queued')
  expect(await jobsUpkeep(sql, { retentionDays: 30 })).toBe(1)
  const left = await sql<{ id: string }[]>`select id from jobs order by id`
  expect(left.map(({ id }) => id)).toEqual([running, young, fresh])
  expect((await sql`select 1 from job_bodies`).length).toBe(3)
  const keys = await sql<{ key: string }[]>`select key from job_idempotency`
  expect(keys.map(({ key }) => key)).toEqual([fresh])
  await database.drop()
})

test('what was told to webhooks goes after a month, but never what is still to be told', async () => {
  const { sql, drop } = await testDatabase()
  const plant = async (state: string, days: number) =>
    await sql`
      insert into job_deliveries (webhook_id, lane, event, data, state, created_at)
      values (${newId()}, 'x', ${state}, '{}', ${state}, now() - make_interval(days => ${days}))`
  await plant('delivered', 31)
  await plant('failed', 31)
  await plant('pending', 31)
  await plant('failed', 29)
  await jobsUpkeep(sql)
  const left = await sql<{ state: string }[]>`select state from job_deliveries order by created_at`
  expect(left.map(({ state }) => state)).toEqual(['pending', 'failed'])
  await drop()
})
