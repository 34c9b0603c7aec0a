import { describe, expect, test } from 'bun:test'
import { BrokerDownError } from '#broker'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { broker, ignore, note, noteQueue, type OpenServer, sharedEngine } from './server.ts'

export function inspectionCases(engine: string, open: OpenServer): void {
  describe(`inspection on ${engine}`, () => {
    const { one } = sharedEngine(open)

    test('what waits is counted and listed in its order, without what it carries', async () => {
      const queue = noteQueue()
      const inspector = one().inspect(queue)
      for (const id of ['a', 'b', 'c'])
        await one()
          .producer(queue)
          .enqueue(note('x'.repeat(10_000)), { id })
      expect(await inspector.overview()).toMatchObject({ waiting: 3, active: 0, paused: false, rate: null })
      const page = await inspector.jobs('waiting', { start: 1, count: 2 })
      expect(page.map(({ id }) => id)).toEqual(['b', 'c'])
      expect(page[0]).toMatchObject({ name: queue.name, attempts: 0, attempts_most: 3, started_at: null })
      expect(page[0]?.data_bytes).toBeGreaterThan(100)
      expect(JSON.stringify(page)).not.toContain('xxx')
    })

    test('a paused queue keeps its jobs, says so, and goes on', async () => {
      const queue = noteQueue()
      const inspector = one().inspect(queue)
      await inspector.pause()
      const ran: string[] = []
      one().consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
      await one().producer(queue).enqueue(note('x'), { id: 'held' })
      expect(await inspector.overview()).toMatchObject({ waiting: 1, paused: true })
      expect(await one().counts(queue.name)).toMatchObject({ waiting: 1 })
      expect((await inspector.jobs('waiting', { start: 0, count: 9 })).map(({ id }) => id)).toEqual(['held'])
      expect(ran).toEqual([])
      await inspector.resume()
      await until('it has run', () => ran.length === 1)
    })

    test('a failed job shows its reason and stack, runs again on demand, and can be removed', async () => {
      const queue = noteQueue({ retry: { attempts: 1, backoffMs: 1, backoffMaxMs: 1 } })
      const inspector = one().inspect(queue)
      let ran = 0
      one().consume(queue, () => Promise.reject(new Error(`no luck ${++ran}`)), { onError: ignore })
      await one().producer(queue).enqueue(note('hello'), { id: 'bad' })
      await until('it failed', async () => (await inspector.overview()).failed === 1)
      const job = await inspector.job('bad')
      expect(job).toMatchObject({ state: 'failed', error: 'no luck 1', attempts: 1, result: null })
      expect(JSON.parse(job?.data ?? '')).toEqual(note('hello'))
      expect(job?.stack.join('')).toContain('no luck 1')
      await inspector.retry('bad')
      await until('it ran again', async () => ran === 2 && (await inspector.overview()).failed === 1)
      await inspector.remove('bad')
      expect(await inspector.job('bad')).toBeNull()
      expect(await codeOf(inspector.retry('bad'))).toBe('not-found')
    })

    test('an action that does not fit the state is refused', async () => {
      const queue = noteQueue()
      const inspector = one().inspect(queue)
      await one().producer(queue).enqueue(note('x'), { id: 'fresh' })
      expect(await codeOf(inspector.retry('fresh'))).toBe('wrong-state')
      expect(await codeOf(inspector.promote('fresh'))).toBe('wrong-state')
    })

    test('a delayed job is promoted', async () => {
      const queue = noteQueue({ retry: { attempts: 2, backoffMs: 3_600_000, backoffMaxMs: 3_600_000 } })
      const inspector = one().inspect(queue)
      let ran = 0
      one().consume(queue, () => Promise.reject(new Error(`${++ran}`)), { onError: ignore })
      await one().producer(queue).enqueue(note('x'), { id: 'later' })
      await until('it waits for its retry', async () => (await inspector.overview()).delayed === 1)
      const [job] = await inspector.jobs('delayed', { start: 0, count: 1 })
      expect(job?.due_at).toBeGreaterThan(Date.now() + 1_000_000)
      await inspector.promote('later')
      await until('it ran again', async () => (await inspector.overview()).failed === 1)
    })

    test('draining removes what waits and says how much', async () => {
      const queue = noteQueue()
      const inspector = one().inspect(queue)
      for (const id of ['a', 'b']) await one().producer(queue).enqueue(note('x'), { id })
      expect(await inspector.drain({ delayed: false })).toBe(2)
      expect(await inspector.overview()).toMatchObject({ waiting: 0 })
    })

    test('limits of concurrency and rate are set for all workers, and taken away', async () => {
      const queue = noteQueue()
      const inspector = one().inspect(queue)
      await inspector.limitConcurrency(1)
      await inspector.limitRate({ max: 50, per_ms: 1_000 })
      expect(await inspector.overview()).toMatchObject({ concurrency: 1, rate: { max: 50, per_ms: 1_000 } })
      let running = 0
      let most = 0
      let done = 0
      const handler = async () => {
        most = Math.max(most, ++running)
        await Bun.sleep(5) // time for a second to begin, if it could
        running -= 1
        done += 1
      }
      one().consume(queue, handler, { concurrency: 4, onError: ignore })
      for (let n = 0; n < 5; n += 1)
        await one()
          .producer(queue)
          .enqueue(note('x'), { id: `job-${n}` })
      await until('all are done', () => done === 5)
      expect(most).toBe(1)
      await inspector.limitConcurrency(null)
      await inspector.limitRate(null)
      expect(await inspector.overview()).toMatchObject({ concurrency: null, rate: null })
    }, 20_000)

    test('what an opaque queue carries is not shown', async () => {
      const queue = noteQueue({ opaque: true })
      await one().producer(queue).enqueue(note('secret'), { id: 'x' })
      const job = await one().inspect(queue).job('x')
      expect(job).toMatchObject({ data: null, state: 'waiting' })
      expect(JSON.stringify(job)).not.toContain('secret')
    })

    test('Q1: while the engine is down, looking rejects within 2 s and a little', async () => {
      const own = await open()
      const cut = broker(own.url, 'cut')
      await cut.inspect(noteQueue()).overview()
      own.gate.close()
      await promptly('to look', 2_500, () =>
        expect(cut.inspect(noteQueue()).overview()).rejects.toBeInstanceOf(BrokerDownError),
      )
      await cut.close()
      await own[Symbol.asyncDispose]()
    }, 20_000)
  })
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
