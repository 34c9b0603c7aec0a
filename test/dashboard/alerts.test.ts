import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Webhook } from 'standardwebhooks'
import { FinalJobError } from '#broker'
import { queueAlertHandler } from '#consumers/dashboard'
import { watchAlerts } from '#dashboard'
import { openLog } from '#lib/log'
import type { WebhooksPayload } from '#queues/webhooks'
import { openedSecret } from '../../src/dashboard/alerts/secrets.ts'
import { adminKey, bearer } from '../access/support.ts'
import { ignore, note } from '../broker/server.ts'
import { ask } from '../processes/support.ts'
import { until } from '../support/until.ts'
import { plantJob } from './rows.ts'
import { type TestBoard, testBoard } from './support.ts'

/** It holds from the first look on. */
const always = { queue: 'jobs', measure: 'no-workers', for_s: 0 }

let one: TestBoard
let received: { headers: Headers; body: string }[] = []
let receiver: ReturnType<typeof Bun.serve>
let answer = 200

beforeAll(async () => {
  one = await testBoard()
  receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      received.push({ headers: request.headers, body: await request.text() })
      return new Response(null, { status: answer })
    },
  })
})
afterAll(async () => {
  await receiver.stop(true)
  await one[Symbol.asyncDispose]()
})

const send = (method: string, path: string, body: unknown = {}, key = adminKey) =>
  ask(one.app, path, { method, headers: bearer(key), body: JSON.stringify(body) })
const get = async (path: string, key = adminKey) => (await ask(one.app, path, { headers: bearer(key) })).json

/** What `worker webhooks` does, by hand. */
function watching() {
  const enqueued: string[] = []
  const producer = {
    enqueue: async ({ id }: WebhooksPayload) => void enqueued.push(id),
    enqueueMany: async () => {},
  }
  const { sql, broker, vault } = one
  const watch = watchAlerts({
    sql,
    broker,
    rowsQueue: 'jobs',
    producer,
    vault,
    log: openLog('test', 'silent'),
  })
  const handler = queueAlertHandler({ sql, vault, allowPrivate: true })
  const look = async () => {
    await sql`update queue_alert_rules set evaluated_at = null`
    await watch.look()
  }
  const context = { id: 'x', attempt: 1, signal: new AbortController().signal }
  const deliver = (id: string) => handler({ v: 1, kind: 'queue-alert', id }, context)
  return { enqueued, look, deliver, close: watch.close }
}

test('a rule fires once when its measure has held, tells so signed, and tells when it is over', async () => {
  received = []
  const rule = { queue: one.queue.name, measure: 'backlog', threshold: 1, for_s: 0, name: 'too much' }
  const made = await send('POST', '/api/queues/alerts', { ...rule, webhook_url: receiver.url.href })
  expect([made.status, made.json.state]).toEqual([201, 'ok'])
  const watched = watching()
  await watched.look()
  expect(watched.enqueued).toEqual([])

  for (const id of ['a', 'b']) await one.broker.producer(one.queue).enqueue(note('x'), { id })
  await watched.look()
  await watched.look()
  expect(watched.enqueued).toHaveLength(1)
  expect(await get('/api/queues/alerts')).toMatchObject({ items: [{ state: 'firing', value: 2 }] })
  await watched.deliver(watched.enqueued[0] ?? '')
  const [first] = received
  const told = new Webhook(made.json.webhook_secret).verify(
    first?.body ?? '',
    Object.fromEntries(first?.headers ?? []),
  )
  expect(told).toMatchObject({
    type: 'queue.alert.fired',
    data: { queue: one.queue.name, value: 2, threshold: 1 },
  })

  const consumer = one.broker.consume(one.queue, async () => {}, { onError: ignore })
  await until('the backlog is gone', async () => (await one.broker.counts(one.queue.name)).waiting === 0)
  await consumer.close()
  await watched.look()
  expect(watched.enqueued).toHaveLength(2)
  await watched.deliver(watched.enqueued[1] ?? '')
  await watched.deliver(watched.enqueued[1] ?? '')
  expect(received.map(({ body }) => JSON.parse(body).type)).toEqual([
    'queue.alert.fired',
    'queue.alert.resolved',
  ])
  const events = await get('/api/queues/alerts/events')
  expect(events.items.map(({ type }: { type: string }) => type)).toEqual(['resolved', 'fired'])
  expect(events.items[0].delivered_at).not.toBeNull()
  await send('DELETE', `/api/queues/alerts/${made.json.id}`)
  watched.close()
})

test('a rule that fires goes on to fire when it is changed, and is over when it is turned off', async () => {
  received = []
  const rule = { ...always, webhook_url: receiver.url.href }
  const { json } = await send('POST', '/api/queues/alerts', rule)
  const path = `/api/queues/alerts/${json.id}`
  await plantJob(one.sql, { state: 'queued' })
  const watched = watching()
  const look = async () => {
    await watched.look()
    return (await get('/api/queues/alerts')).items[0]
  }
  expect(await look()).toMatchObject({ state: 'firing' })
  expect((await send('PATCH', path, { name: 'alone', for_s: 60 })).status).toBe(200)
  expect(await look()).toMatchObject({ name: 'alone', state: 'firing' })
  expect((await send('PATCH', path, { queue: 'logging' })).status).toBe(422)
  await send('PATCH', path, { enabled: false })
  await send('PATCH', path, { enabled: false })
  expect(await look()).toMatchObject({ state: 'ok', enabled: false })
  const { items } = await get('/api/queues/alerts/events')
  expect(items.map(({ type }: { type: string }) => type).slice(0, 2)).toEqual(['resolved', 'fired'])
  await watched.deliver(items[0].id)
  expect(received.map(({ body }) => JSON.parse(body).type)).toEqual(['queue.alert.resolved'])
  await one.sql`delete from jobs`
  await send('DELETE', path)
  watched.close()
})

test('a rule that must hold for a time is pending first', async () => {
  const { json } = await send('POST', '/api/queues/alerts', {
    queue: 'jobs',
    measure: 'oldest-age',
    threshold: 5,
    for_s: 60,
  })
  await plantJob(one.sql, { state: 'queued' })
  await one.sql`update jobs set run_at = now() - interval '1 minute'`
  const watched = watching()
  const state = async () => (await get('/api/queues/alerts')).items[0].state
  await watched.look()
  expect(await state()).toBe('pending')
  await one.sql`update queue_alert_rules set since = now() - interval '2 minutes'`
  await watched.look()
  expect(await state()).toBe('firing')
  await one.sql`delete from jobs`
  await watched.look()
  expect(await state()).toBe('ok')
  await send('DELETE', `/api/queues/alerts/${json.id}`)
  watched.close()
})

test('failures and missing workers are measured, too', async () => {
  const { sql } = one
  const count = `{${'1,'.repeat(59)}1}`
  await sql`insert into queue_minutes (queue, name, minute, done, failed, wait, run)
    values ('jobs', 'export', date_trunc('minute', now()), 7, 3, ${count}::int[], ${count}::int[])`
  await plantJob(sql, { state: 'queued' })
  for (const rule of [
    { measure: 'failure-rate', threshold: 20 },
    { measure: 'failure-rate', threshold: 40 },
    { measure: 'no-workers' },
  ]) {
    await send('POST', '/api/queues/alerts', { queue: 'jobs', for_s: 0, ...rule })
  }
  const watched = watching()
  await watched.look()
  const { items } = await get('/api/queues/alerts')
  expect(items.map(({ state }: { state: string }) => state)).toEqual(['firing', 'ok', 'firing'])
  watched.close()
})

test('of several gateways one looks', async () => {
  await one.sql`delete from queue_alert_rules`
  await send('POST', '/api/queues/alerts', { queue: 'jobs', measure: 'no-workers', for_s: 0 })
  const several = Array.from({ length: 4 }, watching)
  await Promise.all(several.map(({ look }) => look()))
  expect(several.flatMap(({ enqueued }) => enqueued)).toHaveLength(1)
  for (const each of several) each.close()
})

test('a receiver that fails is asked again, and one on this network not at all', async () => {
  const [event] = await one.sql<{ id: string }[]>`select id from queue_alert_events order by id desc limit 1`
  await one.sql`update queue_alert_rules set webhook_url = ${receiver.url.href}, webhook_secret = 'whsec_c2VjcmV0IG9mIHRlc3Rz'`
  const watched = watching()
  answer = 500
  await expect(watched.deliver(event?.id ?? '')).rejects.toThrow('answered 500')
  answer = 200
  const strict = queueAlertHandler({ sql: one.sql, vault: one.vault, allowPrivate: false })
  const context = { id: 'x', attempt: 1, signal: new AbortController().signal }
  const refused = strict({ v: 1, kind: 'queue-alert', id: event?.id ?? '' }, context)
  await expect(refused).rejects.toBeInstanceOf(FinalJobError)
  watched.close()
})

test('who may only read sees the rules without the secret part of their receivers', async () => {
  const reader = await one.keyWith(['read'])
  const { items } = await get('/api/queues/alerts', reader)
  expect(items[0].webhook_url).toBe(receiver.url.origin)
  const { status, json } = await send('POST', '/api/queues/alerts', { queue: 'none', measure: 'backlog' })
  expect([status, json.errors[0].pointer]).toEqual([422, '/queue'])
})

test('a secret is sealed in the database, also one that an earlier release kept in clear', async () => {
  const { sql } = one
  const stored = async (id: string) => {
    const [row] = await sql<[{ secret: string }]>`
      select webhook_secret as secret from queue_alert_rules where id = ${id}`
    return row.secret
  }
  const { json } = await send('POST', '/api/queues/alerts', { ...always, webhook_url: receiver.url.href })
  expect(await stored(json.id)).toStartWith('v1.')
  expect(openedSecret(one.vault, json.id, await stored(json.id))).toBe(json.webhook_secret)

  await sql`update queue_alert_rules set webhook_secret = ${json.webhook_secret} where id = ${json.id}`
  const watched = watching()
  await watched.look()
  expect(await stored(json.id)).toStartWith('v1.')
  expect(openedSecret(one.vault, json.id, await stored(json.id))).toBe(json.webhook_secret)
  await sql`delete from queue_alert_rules`
  watched.close()
})

test('a receiver that is gone is not asked again until it is set anew', async () => {
  const { sql } = one
  const made = await send('POST', '/api/queues/alerts', { ...always, webhook_url: receiver.url.href })
  const path = `/api/queues/alerts/${made.json.id}`
  const watched = watching()
  await watched.look()
  const [event = ''] = watched.enqueued
  received = []
  answer = 410
  for (let tries = 0; tries < 2; tries += 1) {
    await expect(watched.deliver(event)).rejects.toBeInstanceOf(FinalJobError)
  }
  expect(received).toHaveLength(1)
  const shown = async () => (await get('/api/queues/alerts')).items[0].webhook_error
  expect(await shown()).toContain('410')
  expect((await get('/api/queues/alerts/events')).items[0].error).toContain('410')

  answer = 200
  const { json } = await send('PATCH', path, { webhook_url: receiver.url.href })
  expect([await shown(), json.webhook_secret]).toEqual([null, null])
  expect(await watched.deliver(event)).toEqual({ sent: true, status: 200 })
  await sql`delete from queue_alert_rules`
  watched.close()
})
