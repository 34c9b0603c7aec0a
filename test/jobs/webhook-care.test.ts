import { afterAll, beforeAll, expect, test } from 'bun:test'
import { jobWebhookHandler } from '../../src/jobs/webhooks/deliver.ts'
import { madeOwn } from '../../src/jobs/webhooks/own.ts'
import { until } from '../support/until.ts'
import { type Delivery, type Hook, type Hooks, openHooks, verified } from './hooks.ts'
import { receivers } from './support.ts'

let it: Hooks

beforeAll(async () => {
  it = await openHooks('postgres')
}, 60_000)
afterAll(() => it.close())

const remove = async (id: string) => void (await it.one.ask('DELETE', `/api/webhooks/${id}`))
const seenAt = (path: string) => it.receiver.seen.findLast((one) => one.path === path)
const delivered = async (id: string) => {
  await until('it is delivered', async () => (await it.deliveries(id))[0]?.state === 'delivered')
}

test('a job brings a webhook of its own, whose secret is shown once and stored by nobody', async () => {
  it.answer((reply) => reply.answer(200, {}))
  const body = { kind: 'echo', webhook: { url: `${it.receiver.url}/own`, events: ['succeeded'] } }
  const headers = { 'idempotency-key': 'own-1' }
  const made = (await it.one.ask('POST', '/api/jobs', { body, headers })).json as {
    id: string
    webhook: { id: string; secret: string }
  }
  expect(made.webhook.secret).toStartWith('whsec_')
  const again = (await it.one.ask('POST', '/api/jobs', { body, headers })).json
  expect(again).toMatchObject({ id: made.id, webhook: { id: made.webhook.id, secret: null } })
  await until('it is told', async () => (await it.ofJob(made.id))[0]?.state === 'delivered')
  expect(verified(made.webhook.secret, seenAt('/own'))).toMatchObject({ data: { id: made.id } })

  const { sql } = it.rig.database
  const secret = made.webhook.secret.slice('whsec_'.length)
  const [row] = await sql<[{ n: number }]>`
    select (select count(*)::int from job_webhooks w where w::text like ${`%${secret}%`})
      + (select count(*)::int from job_idempotency i where i::text like ${`%${secret}%`}) as n`
  expect(row.n).toBe(0)
  expect((await it.one.ask('GET', '/api/webhooks')).text).not.toContain(made.webhook.id)
  const [batch] = (
    (await it.one.ask('POST', '/api/jobs/batch', { body: [body] })).json as {
      items: { job: { webhook: { secret: string } } }[]
    }
  ).items
  expect(batch?.job.webhook.secret).toStartWith('whsec_')
})

test('a given secret signs, and is not said back', async () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const body = { kind: 'echo', webhook: { url: `${it.receiver.url}/given`, secret } }
  const { json, text } = await it.one.ask('POST', '/api/jobs', { body })
  expect(text).not.toContain(secret)
  await until('it is told', async () => (await it.ofJob((json as Hook).id))[0]?.state === 'delivered')
  expect(verified(secret, seenAt('/given'))).toMatchObject({ type: 'job.succeeded' })
})

test('after a rotation both secrets sign for a while', async () => {
  it.answer((reply) => reply.answer(200, {}))
  const { id, secret } = await it.add({ url: `${it.receiver.url}/turned` })
  const next = (await it.one.ask('POST', `/api/webhooks/${id}/rotate`, { body: { keep: 60 } })).json as Hook
  expect(next.secret).not.toBe(secret)
  expect(next.old_secret_until).not.toBeNull()
  await it.rig.add({ kind: 'echo' })
  await delivered(id)
  for (const one of [secret, next.secret]) verified(one, seenAt('/turned'))
  const last = (await it.one.ask('POST', `/api/webhooks/${id}/rotate`, { body: { keep: 0 } })).json as Hook
  expect(last.old_secret_until).toBeNull()
  const after = (await it.one.ask('POST', `/api/webhooks/${id}/test`)).json as Delivery
  expect(after.state).toBe('delivered')
  verified(last.secret, seenAt('/turned'))
  expect(() => verified(next.secret, seenAt('/turned'))).toThrow()
  await remove(id)
})

test('a test says what came of it', async () => {
  it.answer((reply) => reply.answer(500, {}, 'no, sorry'))
  const { id, secret } = await it.add({ url: `${it.receiver.url}/test` })
  const tested = (await it.one.ask('POST', `/api/webhooks/${id}/test`)).json
  expect(tested).toMatchObject({ state: 'failed', event: 'test', status: 500, answer: 'no, sorry', tries: 1 })
  expect(verified(secret, seenAt('/test'))).toMatchObject({ type: 'webhook.test' })
  await remove(id)
})

test('a receiver that is gone is disabled; enabled again, it can be told what it missed', async () => {
  it.answer((reply) => reply.answer(410, {}))
  const { id } = await it.add()
  await it.rig.add({ kind: 'echo' })
  await until('it is disabled', async () => !(await it.show(id)).enabled)
  expect((await it.show(id)).error).toContain('410')
  const [missed] = await it.deliveries(id)
  expect(missed).toMatchObject({ state: 'failed', tries: 1 })
  const again = () => it.one.ask('POST', `/api/deliveries/${missed?.id}/redeliver`)
  expect((await again()).status).toBe(409)
  it.answer((reply) => reply.answer(200, {}))
  const on = await it.one.ask('PATCH', `/api/webhooks/${id}`, { body: { enabled: true } })
  expect(on.json).toMatchObject({ enabled: true, error: null })
  expect((await again()).status).toBe(202)
  await delivered(id)
  const told = (await it.one.ask('GET', `/api/deliveries/${missed?.id}`)).json
  expect(told).toMatchObject({ state: 'delivered', data: { state: 'succeeded' } })
  await remove(id)
})

test('a receiver in a private network is refused, however it is named', async () => {
  const { sql } = it.rig.database
  const { id } = await it.add({ url: `${it.receiver.url}/inside` })
  const strict = jobWebhookHandler({ ...receivers, sql, allowPrivate: false })
  const [{ id: delivery }] = await sql<[{ id: string }]>`
    insert into job_deliveries (webhook_id, lane, event, data, state) values (${id}, ${id}, 'test', '{}', 'queued')
    returning id`
  await strict(
    { v: 1, kind: 'job', id: delivery },
    { id: 'x', attempt: 1, signal: AbortSignal.timeout(5_000) },
  )
  expect((await it.deliveries(id))[0]).toMatchObject({ state: 'failed', tries: 1 })
  expect((await it.deliveries(id))[0]?.error).toContain('PRIVATE_ADDRESSES')
  for (const host of ['127.0.0.1', 'localhost', 'a.localhost', '[::1]', '169.254.169.254', '0x7f.1'])
    expect(() =>
      madeOwn({ url: `http://${host}/`, events: ['failed'] }, { ...receivers, allowPrivate: false }),
    ).toThrow('PRIVATE_ADDRESSES')
  expect(seenAt('/inside')).toBeUndefined()
  await remove(id)
})

test('what is no address or no secret, and a webhook of another tenant, are refused', async () => {
  for (const url of ['ftp://example.org', 'nowhere', 'http://user:pass@example.org/']) {
    expect((await it.one.ask('POST', '/api/webhooks', { body: { name: 'x', url } })).status).toBe(422)
    expect((await it.one.ask('POST', '/api/jobs', { body: { kind: 'echo', webhook: { url } } })).status).toBe(
      422,
    )
  }
  const short = { kind: 'echo', webhook: { url: it.receiver.url, secret: 'whsec_abc' } }
  expect((await it.one.ask('POST', '/api/jobs', { body: short })).text).toContain('/webhook/secret')
  const { sql } = it.rig.database
  await sql`insert into tenants (id, name) values ('apart', 'Apart')`
  const key = await it.one.key({ tenant: 'apart' })
  const { id } = await it.add()
  const job = { kind: 'echo', webhook: id }
  expect((await it.one.ask('POST', '/api/jobs', { key, body: job })).text).toContain('no such webhook')
  const batch = await it.one.ask('POST', '/api/jobs/batch', { key, body: [job, { kind: 'echo' }] })
  expect(batch.json).toMatchObject({ accepted: 1, refused: 1 })
  expect((await it.one.ask('GET', `/api/webhooks/${id}/deliveries`, { key })).status).toBe(404)
  const reader = await it.one.key({ scopes: ['read'] })
  expect((await it.one.ask('GET', `/api/webhooks/${id}`, { key: reader })).json).toMatchObject({
    url: it.receiver.url,
  })
  await remove(id)
})
