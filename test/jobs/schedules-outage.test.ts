import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { engines, openRig, type Rig } from './support.ts'

describe.skipIf(!engines.includes('redis'))('while Redis is down', () => {
  let rig: Rig
  let one: JobsApp
  beforeAll(async () => {
    rig = await openRig('redis')
    one = await openJobsApp({ database: rig.database })
    await rig.worker()
  }, 60_000)
  afterAll(async () => {
    await one.close()
    await rig.close()
  })

  test('Q10: a cron comes on time, and its jobs run once it is back', async () => {
    const body = { name: 'a test', cron: '* * * * * *', job: { kind: 'echo', input: {} } }
    const { id } = (await one.ask('POST', '/api/schedules', { body })).json as { id: string }
    const made = () =>
      rig.database.sql<{ state: string; late: number }[]>`
        select state, (extract(epoch from created_at) * 1000 % 1000)::float8 as late from jobs
        where schedule_id = ${id} order by id`
    await until('the first has run', async () => (await made())[0]?.state === 'succeeded')
    await rig.redis?.kill()
    const before = (await made()).length
    await until('three have come without it', async () => (await made()).length >= before + 3)
    await one.ask('PATCH', `/api/schedules/${id}`, { body: { enabled: false } })
    const during = (await made()).slice(before)
    expect(during.every(({ state }) => state !== 'succeeded')).toBe(true)
    // A busy machine may hold one up; not all.
    expect(Math.min(...during.map(({ late }) => late))).toBeLessThan(300)
    await rig.redis?.restart()
    await until('all have run', async () => (await made()).every(({ state }) => state === 'succeeded'), {
      ms: 20_000,
    })
  }, 60_000)
})
