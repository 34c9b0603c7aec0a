import { describe, expect, test } from 'bun:test'
import { FinalJobError } from '#broker'
import { until } from '../support/until.ts'
import { broker, ignore, type Note, note, noteQueue, type OpenServer, sharedEngine } from './server.ts'

export function jobCases(engine: string, open: OpenServer): void {
  describe(`jobs on ${engine}`, () => {
    const { one, server } = sharedEngine(open)

    test('a job reaches the handler with its payload, its id and its attempt', async () => {
      const queue = noteQueue()
      const seen: unknown[] = []
      one().consume(queue, async (payload, { id, attempt }) => seen.push({ payload, id, attempt }), {
        onError: ignore,
      })
      await one().producer(queue).enqueue(note('ä\u{1f600}'), { id: 'first' })
      await until('the job has run', () => seen.length === 1)
      expect(seen).toEqual([{ payload: note('ä\u{1f600}'), id: 'first', attempt: 1 }])
    })

    test('a job whose id is known is not added twice', async () => {
      const queue = noteQueue()
      const producer = one().producer(queue)
      await producer.enqueue(note('once'), { id: 'same' })
      await producer.enqueue(note('twice'), { id: 'same' })
      expect(await one().counts(queue.name)).toMatchObject({ waiting: 1 })
    })

    test('an id with a colon is refused', async () => {
      await expect(one().producer(noteQueue()).enqueue(note(''), { id: 'a:b' })).rejects.toThrow('colon')
    })

    test('a job that fails is tried again by its policy, and then given up', async () => {
      const queue = noteQueue()
      const told: unknown[] = []
      one().consume(queue, () => Promise.reject(new Error('no luck')), {
        onError: (error, job) => told.push([String(error), job?.attempt, job?.final]),
      })
      await one().producer(queue).enqueue(note('x'), { id: 'unlucky' })
      await until('it was given up', async () => (await one().counts(queue.name)).failed === 1)
      expect(told).toEqual([
        ['Error: no luck', 1, false],
        ['Error: no luck', 2, false],
        ['Error: no luck', 3, true],
      ])
    })

    test('a handler can say that no further try will help', async () => {
      const queue = noteQueue()
      const told: unknown[] = []
      one().consume(queue, () => Promise.reject(new FinalJobError('gone')), {
        onError: (_, job) => told.push(job),
      })
      await one().producer(queue).enqueue(note('x'), { id: 'hopeless' })
      await until('it was given up', async () => (await one().counts(queue.name)).failed === 1)
      expect(told).toEqual([{ id: 'hopeless', attempt: 1, final: true }])
    })

    test('a payload that breaks the contract fails for good at once, and the reason does not quote it', async () => {
      const queue = noteQueue()
      const told: string[] = []
      one().consume(queue, () => Promise.reject(new Error('never called')), {
        onError: (error) => told.push(String(error)),
      })
      const newer = { v: 2, text: 'secret' } as unknown as Note
      await one().producer(queue).enqueue(newer, { id: 'newer' })
      await until('it was given up', async () => (await one().counts(queue.name)).failed === 1)
      expect(told).toHaveLength(1)
      expect(told[0]).toContain(`${queue.name} does not take this payload: v: `)
      expect(told[0]).not.toContain('secret')
    })

    test('fields that a later release added are no obstacle', async () => {
      const queue = noteQueue()
      const seen: unknown[] = []
      one().consume(queue, async (payload) => seen.push(payload), { onError: ignore })
      await one()
        .producer(queue)
        .enqueue({ ...note('x'), later: [1] } as Note, { id: 'later' })
      await until('the job has run', () => seen.length === 1)
      expect(seen).toEqual([note('x')])
    })

    test('NUL and lone surrogates in results and errors leave no job behind', async () => {
      const queue = noteQueue({ retry: { attempts: 1, backoffMs: 1, backoffMaxMs: 1 } })
      const bad = 'a\u0000b\ud800c'
      one().consume(
        queue,
        async ({ text }) => {
          if (text === 'fail') throw new Error(bad.repeat(10_000))
          return { [bad]: bad, big: 'x'.repeat(text === 'big' ? 100_000 : 1), at: 1n < 2n }
        },
        { onError: ignore },
      )
      const producer = one().producer(queue)
      for (const text of ['fail', 'return', 'big']) await producer.enqueue(note(text), { id: text })
      await until('all are done', async () => {
        const { completed, failed } = await one().counts(queue.name)
        return completed === 2 && failed === 1
      })
      expect(await one().counts(queue.name)).toMatchObject({ active: 0, waiting: 0, delayed: 0 })
    })

    test('a payload of 1.4 MB arrives unchanged', async () => {
      const queue = noteQueue()
      const text = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536)))
        .toString('base64')
        .repeat(16)
      const seen: string[] = []
      one().consume(queue, async (payload) => seen.push(payload.text), { onError: ignore })
      await one().producer(queue).enqueue(note(text), { id: 'large' })
      await until('the job has run', () => seen.length === 1)
      expect(text.length).toBeGreaterThan(1_390_000)
      expect(seen[0] === text).toBe(true)
    })

    test('no more finished jobs are kept than the contract says', async () => {
      const kept = { count: 2, ageSeconds: 3600 }
      const queue = noteQueue({ retention: { completed: kept, failed: kept } })
      const ran: string[] = []
      one().consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
      for (let n = 0; n < 6; n += 1)
        await one()
          .producer(queue)
          .enqueue(note('x'), { id: `job-${n}` })
      await until('all have run', () => ran.length === 6)
      // Postgres sweeps at the end of a job, if it has not done so for a while: so jobs go on to come.
      let more = 0
      await until('two are kept', async () => {
        await one()
          .producer(queue)
          .enqueue(note('x'), { id: `more-${more}` })
        more += 1
        await until('it has run', () => ran.length === 6 + more)
        return (await one().counts(queue.name)).completed === 2
      })
    })

    test('a schedule makes one job at a time for all who ask for it, and asking again moves nothing', async () => {
      const queue = noteQueue()
      const two = broker(server().url, 'second')
      const ran: string[] = []
      for (const each of [one(), two]) {
        each.consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
        await each.schedule(queue, { id: 'tick', everyMs: 400 }, note('tick'))
      }
      await one().schedule(queue, { id: 'tick', everyMs: 400 }, note('tick'))
      await until('it has run five times', () => ran.length >= 5)
      // Each is named after its time, however late a busy machine ran it.
      const times = ran.map((id) => Number(id.split(':').at(-1))).sort((a, b) => a - b)
      const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0))
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(400)
      await two.close()
    })

    test('jobs that end at the same moment are all done at the first try', async () => {
      const kept = { count: 3, ageSeconds: 3600 }
      const retry = { attempts: 1, backoffMs: 1, backoffMaxMs: 1 }
      const queue = noteQueue({ retry, retention: { completed: kept, failed: kept } })
      const told: unknown[] = []
      const producer = one().producer(queue)
      const ids = Array.from({ length: 500 }, (_, n) => `job-${n}`)
      await Promise.all(ids.map((id) => producer.enqueue(note(id), { id })))
      let ran = 0
      one().consume(
        queue,
        async () => {
          ran += 1
        },
        { concurrency: 16, onError: (error) => told.push(error) },
      )
      await until('all are done', async () => {
        const { waiting, active, delayed } = await one().counts(queue.name)
        return waiting + active + delayed === 0
      })
      expect({ ran, told, ...(await one().counts(queue.name)) }).toMatchObject({
        ran: 500,
        told: [],
        failed: 0,
      })
    }, 20_000)

    test('ping and counts answer', async () => {
      await one().ping()
      const zero = { waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 }
      expect(await one().counts(noteQueue().name)).toEqual(zero)
    })
  })
}
