import { afterAll, beforeAll, expect, test } from 'bun:test'
import { jobsUpkeep } from '#jobs'
import { until } from '../support/until.ts'
import { type Hooks, openHooks, verified } from './hooks.ts'

let it: Hooks

beforeAll(async () => {
  it = await openHooks('postgres')
}, 60_000)
afterAll(() => it.close())

type Made = { id: string; job: { webhook: string }; webhook: { id: string; secret: string | null } }
const schedule = async (webhook: Record<string, unknown>) => {
  const body = { name: 'told', cron: '0 3 1 1 *', job: { kind: 'echo', webhook } }
  return await it.one.ask('POST', '/api/schedules', { body })
}
const run = async (id: string) => {
  const { json } = await it.one.ask('POST', `/api/schedules/${id}/run`)
  return (json as { job_id: string }).job_id
}

test('a schedule brings a webhook of its own, told of each of its jobs and signed with a secret shown once', async () => {
  it.answer((reply) => reply.answer(200, {}))
  const answer = await schedule({ url: `${it.receiver.url}/mine`, events: ['succeeded'] })
  const made = answer.json as Made
  expect(answer.status).toBe(201)
  expect(made.job.webhook).toBe(made.webhook.id)
  const secret = made.webhook.secret ?? ''
  for (let time = 0; time < 2; time += 1) {
    const job = await run(made.id)
    await until('it is told', async () => (await it.ofJob(job))[0]?.state === 'delivered')
    expect(verified(secret, it.receiver.seen.at(-1))).toMatchObject({ data: { id: job } })
  }
  for (const path of [`/api/schedules/${made.id}`, `/api/webhooks/${made.webhook.id}`])
    expect((await it.one.ask('GET', path)).text).not.toContain(secret)
  expect((await it.one.ask('GET', '/api/webhooks')).text).not.toContain(made.webhook.id)
  const named = { kind: 'echo', webhook: made.webhook.id }
  expect((await it.one.ask('POST', '/api/jobs', { body: named })).status).toBe(422)
  const [row] = await it.rig.database.sql<[{ n: number }]>`
    select (select count(*)::int from job_webhooks w where w::text like ${`%${secret.slice(6)}%`})
      + (select count(*)::int from job_schedules s where s::text like ${`%${secret.slice(6)}%`}) as n`
  expect(row.n).toBe(0)
})

test('it outlives its schedule until the last job was told', async () => {
  const { sql } = it.rig.database
  it.answer((reply) => reply.answer(200, {}))
  const given = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
  const { id, webhook } = (await schedule({ url: `${it.receiver.url}/late`, secret: given })).json as Made
  expect(webhook.secret).toBeNull()
  await sql`insert into job_kind_settings (kind, paused) values ('echo', true)`
  const job = await run(id)
  await it.one.ask('DELETE', `/api/schedules/${id}`)
  await jobsUpkeep(sql)
  await sql`delete from job_kind_settings`
  await until('it is told', async () => (await it.ofJob(job))[0]?.state === 'delivered')
  verified(given, it.receiver.seen.at(-1))
  await jobsUpkeep(sql)
  expect((await it.one.ask('GET', `/api/webhooks/${webhook.id}`)).status).toBe(404)
})
