import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Webhook } from 'standardwebhooks'
import { defineQueue } from '#queues/queue'
import { webhooks } from '#queues/webhooks'
import { jobWebhookHandler } from '../../src/jobs/webhooks/deliver.ts'
import { until } from '../support/until.ts'
import { type Script, scriptedUpstream, type Upstream } from '../support/upstream.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { engines, openRig, type Rig } from './support.ts'

describe.each(engines)('webhooks of jobs on %s', (engine) => {
  let rig: Rig
  let one: JobsApp
  let receiver: Upstream
  let answer: Script

  beforeAll(async () => {
    rig = await openRig(engine, async () => Promise.reject(new Error('bad luck')))
    one = await openJobsApp({ database: rig.database })
    const { broker } = await rig.worker()
    receiver = await scriptedUpstream((reply, seen) => answer(reply, seen))
    const quick = defineQueue({ ...webhooks, retry: { ...webhooks.retry, backoffMs: 20 } })
    const handler = jobWebhookHandler({ sql: rig.database.sql, allowPrivate: true })
    broker.consume(quick, handler, { onError: () => {} })
  }, 60_000)
  afterAll(async () => {
    await one.close()
    await rig.close()
    await receiver.close()
  })

  type Made = { id: string; secret: string; enabled: boolean; error: string | null }
  const add = async (body: Record<string, unknown> = {}) =>
    (await one.ask('POST', '/api/webhooks', { body: { name: 'one', url: `${receiver.url}/hook`, ...body } }))
      .json as Made
  const remove = async (id: string) => void (await one.ask('DELETE', `/api/webhooks/${id}`))
  const deliveries = async (id: string) =>
    ((await one.ask('GET', `/api/webhooks/${id}/deliveries`)).json as { items: Record<string, unknown>[] })
      .items

  test('the end of a job is told, signed, with its result, and tried until it is taken', async () => {
    let times = 0
    answer = (reply) => reply.answer(++times < 3 ? 503 : 200, {})
    const { id, secret } = await add({ events: ['succeeded'] })
    const from = receiver.seen.length
    const job = await rig.add({ kind: 'echo', input: { text: 'hello' }, tags: ['told'] })
    await until(
      'it is delivered',
      async () => (await deliveries(id))[0]?.delivered_at !== null && times === 3,
    )
    const seen = receiver.seen.slice(from)
    expect(new Set(seen.map((one) => one.header('webhook-id'))).size).toBe(1)
    const last = seen.at(-1)
    const headers = Object.fromEntries(
      (last?.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const body = new Webhook(secret).verify(last?.body.toString() ?? '', headers)
    expect(body).toMatchObject({
      type: 'job.succeeded',
      data: { id: job, kind: 'echo', state: 'succeeded', tags: ['told'], result: { text: 'hello' } },
    })
    expect(await deliveries(id)).toMatchObject([{ job_id: job, tries: 3, status: 200, error: null }])
    await remove(id)
  })

  test('only what is asked for is told: by state, kind and tag, or by the job’s own word', async () => {
    answer = (reply) => reply.answer(204, {})
    const failed = await add({ events: ['failed'] })
    const tagged = await add({ tags: ['urgent'] })
    const named = await add({ on_request: true })
    const jobs = await Promise.all([
      rig.add({ kind: 'scripted', input: {} }),
      rig.add({ kind: 'echo', tags: ['urgent', 'x'] }),
      rig.add({ kind: 'echo', webhook: named.id }),
      rig.add({ kind: 'echo' }),
    ])
    const told = async (id: string) => (await deliveries(id)).map((one) => one.job_id)
    await until(
      'all are told',
      async () => (await told(named.id)).length === 1 && (await told(failed.id)).length === 1,
    )
    await rig.becomes(jobs[3], 'succeeded')
    expect(await told(failed.id)).toEqual([jobs[0]])
    expect(await told(tagged.id)).toEqual([jobs[1]])
    expect(await told(named.id)).toEqual([jobs[2]])
    for (const { id } of [failed, tagged, named]) await remove(id)
  })

  test('a job that is cancelled, or fails with what it depends on, is told too', async () => {
    answer = (reply) => reply.answer(200, {})
    const { id } = await add({ events: ['cancelled', 'failed'] })
    const first = await rig.add({ kind: 'echo', delay: 60 })
    const second = await rig.add({ kind: 'echo', depends_on: [first] })
    await one.ask('POST', `/api/jobs/${first}/cancel`)
    await until('both are told', async () => (await deliveries(id)).length === 2)
    expect(new Set((await deliveries(id)).map((one) => one.job_id))).toEqual(new Set([first, second]))
    await remove(id)
  })

  test('a receiver that is gone is disabled', async () => {
    answer = (reply) => reply.answer(410, {})
    const { id } = await add()
    await rig.add({ kind: 'echo' })
    const show = async () => (await one.ask('GET', `/api/webhooks/${id}`)).json as Made
    await until('it is disabled', async () => !(await show()).enabled)
    expect((await show()).error).toContain('410')
    expect((await deliveries(id))[0]).toMatchObject({ given_up: true, tries: 1 })
    const on = await one.ask('PATCH', `/api/webhooks/${id}`, { body: { enabled: true } })
    expect(on.json).toMatchObject({ enabled: true, error: null })
    await remove(id)
  })

  test('what is no address, and a webhook of another tenant, are refused', async () => {
    for (const url of ['ftp://example.org', 'nowhere', 'http://user:pass@example.org/'])
      expect((await one.ask('POST', '/api/webhooks', { body: { name: 'x', url } })).status).toBe(422)
    const sql = rig.database.sql
    await sql`insert into tenants (id, name) values ('apart', 'Apart')`
    const key = await one.key({ tenant: 'apart' })
    const { id } = await add()
    const job = { kind: 'echo', webhook: id }
    expect((await one.ask('POST', '/api/jobs', { key, body: job })).text).toContain('no such webhook')
    const batch = await one.ask('POST', '/api/jobs/batch', { key, body: [job, { kind: 'echo' }] })
    expect(batch.json).toMatchObject({ accepted: 1, refused: 1 })
    await remove(id)
  })
})
