import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { webhooks } from '#queues/webhooks'
import { openOutbox } from '../../src/jobs/webhooks/outbox.ts'
import { until } from '../support/until.ts'
import { type Hooks, openHooks, patienceMs, verified } from './hooks.ts'
import { engines, quiet } from './support.ts'

describe.each(engines)('webhooks of jobs on %s', (engine) => {
  let it: Hooks

  beforeAll(async () => {
    it = await openHooks(engine)
  }, 60_000)
  afterAll(() => it.close())

  const remove = async (id: string) => void (await it.one.ask('DELETE', `/api/webhooks/${id}`))
  const told = async (id: string) => (await it.deliveries(id)).map((one) => one.job_id)

  test('the end of a job is told, signed, and tried until it is taken', async () => {
    let times = 0
    it.answer((reply) => reply.answer(++times < 3 ? 503 : 200, {}, 'thank you'))
    const { id, secret } = await it.add({ events: ['succeeded'] })
    const from = it.receiver.seen.length
    const job = await it.rig.add({ kind: 'echo', input: { text: 'hello' }, tags: ['told'] })
    await until('it is delivered', async () => (await it.deliveries(id))[0]?.state === 'delivered')
    const seen = it.receiver.seen.slice(from)
    expect(seen).toHaveLength(3)
    expect(new Set(seen.map((one) => one.header('webhook-id'))).size).toBe(1)
    expect(new Set(seen.map((one) => one.body.toString())).size).toBe(1)
    const links = { self: `/api/jobs/${job}`, result: `/api/jobs/${job}/result` }
    expect(verified(secret, seen.at(-1))).toMatchObject({
      type: 'job.succeeded',
      data: { id: job, kind: 'echo', state: 'succeeded', attempt: 1, tags: ['told'], error: null, links },
    })
    expect(seen[0]?.body.toString()).not.toContain('hello')
    expect(await it.ofJob(job)).toMatchObject([
      { job_id: job, tries: 3, status: 200, error: null, answer: 'thank you' },
    ])
    await remove(id)
  })

  test('only what is asked for is told: by state, kind and tag, or by the job’s own word', async () => {
    it.answer((reply) => reply.answer(204, {}))
    const failed = await it.add({ events: ['failed'] })
    const tagged = await it.add({ tags: ['urgent'] })
    const named = await it.add({ on_request: true })
    const jobs = await Promise.all([
      it.rig.add({ kind: 'scripted', input: {} }),
      it.rig.add({ kind: 'echo', tags: ['urgent', 'x'] }),
      it.rig.add({ kind: 'echo', webhook: named.id }),
      it.rig.add({ kind: 'echo' }),
    ])
    await until(
      'all are told',
      async () => (await told(named.id)).length === 1 && (await told(failed.id)).length === 1,
    )
    for (const job of [jobs[1], jobs[3]]) await it.rig.becomes(job, 'succeeded')
    expect(await told(failed.id)).toEqual([jobs[0]])
    expect(await told(tagged.id)).toEqual([jobs[1]])
    expect(await told(named.id)).toEqual([jobs[2]])
    for (const { id } of [failed, tagged, named]) await remove(id)
  })

  test('a job that is cancelled, expires, or fails with what it depends on, is told too', async () => {
    it.answer((reply) => reply.answer(200, {}))
    const { id } = await it.add({ events: ['cancelled', 'failed', 'expired'] })
    const first = await it.rig.add({ kind: 'echo', delay: 60 })
    const second = await it.rig.add({ kind: 'echo', depends_on: [first] })
    const third = await it.rig.add({ kind: 'echo', delay: 60, ttl: 0.01 })
    await it.one.ask('POST', `/api/jobs/${first}/cancel`)
    await until('all are told', async () => (await it.deliveries(id)).length === 3)
    expect(new Set(await told(id))).toEqual(new Set([first, second, third]))
    await remove(id)
  })

  test('what is told is what the job was when it ended, though it was run again meanwhile', async () => {
    let up = false
    it.answer((reply) => reply.answer(up ? 200 : 503, {}))
    const { id } = await it.add({ events: ['failed'] })
    const job = await it.rig.add({ kind: 'scripted', input: {} })
    await until('the receiver was asked', async () => ((await it.ofJob(job))[0]?.tries ?? 0) > 0)
    await it.one.ask('POST', `/api/jobs/${job}/retry`)
    await until('it has failed twice', async () => (await it.ofJob(job)).length === 2)
    up = true
    for (const { id: one, state } of await it.ofJob(job))
      if (state === 'failed') await it.one.ask('POST', `/api/deliveries/${one}/redeliver`)
    await until('both are told', async () =>
      (await it.ofJob(job)).every(({ state }) => state === 'delivered'),
    )
    const attempts = it.receiver.seen
      .map((one) => JSON.parse(one.body.toString()).data)
      .filter((data) => data.id === job)
    expect(new Set(attempts.map((data) => `${data.attempt} ${data.state}`))).toEqual(
      new Set(['1 failed', '2 failed']),
    )
    expect(attempts[0]).toMatchObject({ error: { class: 'Error', message: 'bad luck' } })
    await remove(id)
  })

  test('receivers that are slow, redirect, say much or are down hold up nobody else', async () => {
    it.answer((reply, { path }) => {
      if (path === '/slow') return
      if (path === '/away') return reply.answer(302, { location: `${it.receiver.url}/elsewhere` })
      return reply.answer(200, {}, path === '/much' ? 'x'.repeat(300_000) : '')
    })
    const at = async (path: string) => (await it.add({ url: `${it.receiver.url}${path}` })).id
    const [slow, away, much, good] = [await at('/slow'), await at('/away'), await at('/much'), await at('/')]
    const down = (await it.add({ url: 'http://127.0.0.1:9/' })).id
    for (let n = 0; n < 40; n += 1) await it.rig.add({ kind: 'echo' })
    const ends = async (id: string, state: string) =>
      (await it.deliveries(id)).filter((one) => one.state === state).length
    await until(
      'the good ones are told',
      async () => (await ends(good, 'delivered')) === 40 && (await ends(much, 'delivered')) === 40,
    )
    expect(await ends(slow, 'failed')).toBeLessThan(40)
    const reason = async (id: string) => (await it.deliveries(id)).find(({ error }) => error !== null)?.error
    await until('each has its reason', async () => (await reason(slow)) !== undefined)
    expect(await reason(slow)).toContain(`nothing within ${patienceMs} ms`)
    expect(await reason(away)).toContain('redirects are not followed')
    expect(await reason(down)).toContain('127.0.0.1:9')
    expect(it.receiver.seen.some(({ path }) => path === '/elsewhere')).toBe(false)
    for (const id of [slow, away, much, good, down]) await remove(id)
  }, 30_000)

  test('a receiver that says when to come again is left alone until then, whatever our own wait is', async () => {
    const { id } = await it.add({ events: ['succeeded'] })
    for (const [status, header, least, most] of [
      [503, '600', 600, 661],
      [429, new Date(Date.now() + 900_000).toUTCString(), 800, 992],
      [503, '999999', 28_800, 31_681],
      [500, '600', 0, 10],
      [503, 'soon', 0, 10],
    ] as const) {
      it.answer((reply) => reply.answer(status, { 'retry-after': header }))
      const job = await it.rig.add({ kind: 'echo' })
      const tried = async () => (await it.ofJob(job))[0]
      await until('it was tried', async () => ((await tried())?.tries ?? 0) > 0)
      const [row] = await it.rig.database.sql<[{ wait: number }]>`
        select extract(epoch from next_at - tried_at)::float8 as wait from job_deliveries where job_id = ${job}`
      expect([header, row.wait >= least, row.wait <= most]).toEqual([header, true, true])
    }
    await remove(id)
  })

  test('what the queue refused or lost is found again', async () => {
    it.answer((reply) => reply.answer(200, {}))
    const { id } = await it.add({ events: ['succeeded'] })
    await it.rig.add({ kind: 'echo' })
    await until('it is delivered', async () => (await it.deliveries(id))[0]?.state === 'delivered')
    const { sql } = it.rig.database
    await sql`update job_deliveries set state = 'queued', delivered_at = null, next_at = now() where webhook_id = ${id}`
    const worker = await it.rig.worker()
    const outbox = openOutbox({ sql, producer: worker.broker.producer(webhooks), log: quiet })
    await until('it is delivered again', async () => (await it.deliveries(id))[0]?.state === 'delivered')
    await outbox.stop()
    await sql`update job_deliveries set state = 'pending', next_at = now() where webhook_id = ${id}`
    await until('it is delivered once more', async () => (await it.deliveries(id))[0]?.state === 'delivered')
    expect((await it.deliveries(id))[0]?.tries).toBe(3)
    await remove(id)
  })
})

test('a queue that is down leaves what there is to tell in its row', async () => {
  const it = await openHooks('postgres')
  try {
    const { sql } = it.rig.database
    const { id } = await it.add()
    const down = { enqueueMany: () => Promise.reject(new Error('down')) }
    await sql`
      insert into job_deliveries (webhook_id, lane, event, data, next_at)
      values (${id}, 'x', 'test', '{}', now() + interval '1 hour')`
    const outbox = openOutbox({ sql, producer: down, log: quiet })
    await sql`update job_deliveries set next_at = now() where lane = 'x'`
    await until('it was refused, or another outbox had it', async () => {
      const [row] = await sql<[{ handed: number; state: string }]>`select handed, state from job_deliveries`
      return row.handed > 0
    })
    await outbox.stop()
    await until('it is delivered', async () => (await it.deliveries(id))[0]?.state === 'delivered')
  } finally {
    await it.close()
  }
}, 60_000)
