import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { adminKey, bearer } from '../access/support.ts'
import { ignore, note, noteQueue } from '../broker/server.ts'
import { ask } from '../processes/support.ts'
import { until } from '../support/until.ts'
import { plantJob } from './rows.ts'
import { type TestBoard, testBoard } from './support.ts'

/** What must hold whichever engine has the queues. */
export function queueCases(engine: string, open: () => Promise<string | undefined>): void {
  describe(`the dashboard's queues on ${engine}`, () => {
    let one: TestBoard
    const queue = noteQueue({ retry: { attempts: 1, backoffMs: 1, backoffMaxMs: 1 } })

    beforeAll(async () => {
      one = await testBoard(await open(), queue)
    }, 60_000)
    afterAll(() => one[Symbol.asyncDispose]())

    const get = (path: string, key = adminKey) => ask(one.app, path, { headers: bearer(key) })
    const send = (method: string, path: string, body: unknown = {}, key = adminKey) =>
      ask(one.app, path, { method, headers: bearer(key), body: JSON.stringify(body) })
    const fresh = async () => {
      await one.board.live.refresh()
      return (await get(`/api/queues/${queue.name}`)).json
    }

    test('a backlog without a worker is shown, with the warning; with one it is worked off, and measured', async () => {
      for (const id of ['a', 'b', 'bad']) await one.broker.producer(queue).enqueue(note(id), { id })
      expect(await fresh()).toMatchObject({
        ...{ up: true, rows: false, paused: false, workers: [] },
        counts: { waiting: 3, active: 0, failed: 0 },
        warnings: [{ code: 'no-workers' }],
      })
      const listed = await get(`/api/queues/${queue.name}/jobs?state=waiting&limit=2`)
      expect(listed.json.items.map(({ id }: { id: string }) => id)).toEqual(['a', 'b'])
      const consumer = one.broker.consume(
        queue,
        async ({ text }) => {
          if (text === 'bad') throw new Error('no luck')
        },
        { onError: ignore, concurrency: 2 },
      )
      await until('all have ended', async () => (await fresh()).counts.failed === 1)
      await one.flow.flush()
      await until('what was measured is shown', async () => (await fresh()).flow?.failed === 1)
      const after = await fresh()
      expect(after).toMatchObject({
        warnings: [],
        workers: [{ process: 'worker of the tests', concurrency: 2 }],
      })
      expect(after.flow).toMatchObject({ done: 2, failed: 1 })
      expect(after.flow.wait.p95).toBeGreaterThan(0)
      await consumer.close()
    })

    test('an operator of one tenant among others neither sees into a queue of all nor acts on it', async () => {
      await one.sql`insert into tenants (id, name) values ('acme', 'Acme') on conflict do nothing`
      const key = await one.keyWith(['read', 'operator'], 'acme')
      const path = `/api/queues/${queue.name}`
      for (const [method, at] of [
        ['POST', `${path}/pause`],
        ['POST', `${path}/drain`],
        ['PUT', `${path}/limits`],
        ['POST', `${path}/jobs/bad/remove`],
        ['POST', '/api/queues/jobs/pause'],
        ['POST', '/api/queues/alerts'],
      ] as const) {
        const answer = await send(method, at, {}, key)
        expect([at, answer.status, answer.json?.type]).toEqual([at, 403, 'urn:sluice:problem:other-tenants'])
      }
      expect((await get(`${path}/jobs/bad`, key)).json).toMatchObject({ data: null, stack: [] })
      expect((await get('/queues/board', key)).status).toBe(403)
    })

    test('a failed job is looked at and tried again, and who did so is on record', async () => {
      const path = `/api/queues/${queue.name}/jobs/bad`
      expect((await get(path)).json).toMatchObject({ state: 'failed', error: 'no luck' })
      expect((await send('POST', `${path}/retry`)).status).toBe(204)
      expect((await get(path)).json).toMatchObject({ state: 'waiting' })
      expect((await send('POST', `${path}/retry`)).status).toBe(409)
      const { json } = await get(`/api/audit?subject=queue:${queue.name}/bad`)
      expect(json.items.map(({ action, outcome }: Record<string, string>) => [action, outcome])).toEqual([
        ['job.retry', 'The job is waiting: this needs failed'],
        ['job.retry', 'done'],
      ])
      expect((await send('POST', `${path}/remove`)).status).toBe(204)
      expect((await get(path)).status).toBe(404)
    })

    test('a queue is paused, limited, drained and resumed', async () => {
      expect((await send('POST', `/api/queues/${queue.name}/pause`)).status).toBe(204)
      const limits = { concurrency: 3, rate: { max: 10, per_ms: 1_000 } }
      expect((await send('PUT', `/api/queues/${queue.name}/limits`, limits)).status).toBe(204)
      await one.broker.producer(queue).enqueue(note('x'), { id: 'held' })
      expect(await fresh()).toMatchObject({ paused: true, ...limits, counts: { waiting: 1 }, warnings: [] })
      expect((await send('POST', `/api/queues/${queue.name}/drain`)).json).toEqual({ removed: 1 })
      const open = { concurrency: null, rate: null }
      await send('PUT', `/api/queues/${queue.name}/limits`, open)
      await send('POST', `/api/queues/${queue.name}/resume`)
      expect(await fresh()).toMatchObject({ paused: false, ...open, counts: { waiting: 0 } })
    })

    test('Q8: who may only read sees everything and changes nothing', async () => {
      const reader = await one.keyWith(['read'])
      expect((await get('/api/queues', reader)).status).toBe(200)
      for (const [method, path] of [
        ['POST', 'pause'],
        ['POST', 'resume'],
        ['POST', 'drain'],
        ['PUT', 'limits'],
        ['POST', 'jobs/bad/retry'],
      ] as const) {
        expect((await send(method, `/api/queues/${queue.name}/${path}`, {}, reader)).status).toBe(403)
      }
    })

    test('the rows of the queue jobs are counted by kind, for each tenant its own', async () => {
      await one.sql`insert into tenants (id, name) values ('apart', 'Apart') on conflict do nothing`
      await plantJob(one.sql, { kind: 'export', state: 'queued' })
      await plantJob(one.sql, { kind: 'export', state: 'failed', error: 'no luck' })
      await plantJob(one.sql, { kind: 'replay', state: 'running', tenant: 'apart' })
      await send('POST', '/api/queues/jobs/pause', { kind: 'export' })
      await send('PUT', '/api/queues/jobs/limits', { kind: 'export', rate: { max: 1, per_ms: 1_000 } })
      const seen = async (key: string) => (await get('/api/queues/jobs', key)).json
      await one.board.live.refresh()
      await until('the rows are counted', async () => (await seen(adminKey)).counts.active === 1)
      expect(await seen(adminKey)).toMatchObject({
        rows: true,
        counts: { waiting: 1, active: 1, failed: 1 },
        kinds: [
          { kind: 'export', paused: true, per_minute_most: 60, counts: { waiting: 1, failed: 1 } },
          { kind: 'replay', paused: false, counts: { active: 1 } },
        ],
      })
      const theirs = await one.keyWith(['read'], 'apart')
      expect(await seen(theirs)).toMatchObject({ counts: { waiting: 0, active: 1, failed: 0 } })
    })

    test('rows of a kind that is paused are nothing to warn of', async () => {
      const warned = async () => {
        await one.board.live.refresh()
        return (await get('/api/queues/jobs')).json.warnings.map(({ code }: { code: string }) => code)
      }
      expect(await warned()).toEqual([])
      await plantJob(one.sql, { kind: 'classify', state: 'queued' })
      expect(await warned()).toEqual(['no-workers'])
      await send('POST', '/api/queues/jobs/pause', { kind: 'classify' })
      expect(await warned()).toEqual([])
    })

    test('why a job of the system failed is not told to the readers of another tenant', async () => {
      await one.broker.producer(queue).enqueue(note('secret'), { id: 'theirs' })
      const path = `/api/queues/${queue.name}/jobs/theirs`
      const apart = await one.keyWith(['read'], 'apart')
      expect((await get(path, apart)).json).toMatchObject({ state: 'waiting', data: null })
      expect((await get(path)).json.data).toContain('secret')
    })

    test('what is asked wrongly says what is wrong', async () => {
      expect((await get('/api/queues/none')).status).toBe(404)
      expect((await get(`/api/queues/${queue.name}/jobs?state=odd`)).status).toBe(400)
      expect((await get(`/api/queues/${queue.name}/jobs/none`)).status).toBe(404)
      expect((await send('PUT', `/api/queues/${queue.name}/limits`, { concurrency: 0 })).status).toBe(422)
      expect((await send('POST', `/api/queues/${queue.name}/pause`, { kind: 'export' })).status).toBe(409)
      expect((await send('POST', '/api/queues/jobs/drain')).status).toBe(409)
    })
  })
}
