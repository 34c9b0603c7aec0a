import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { BrokerDownError } from '#broker'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { broker, ignore, note, noteQueue, type OpenServer } from './server.ts'

export function outageCases(engine: string, open: OpenServer): void {
  describe(`outages of ${engine}`, () => {
    const stray: unknown[] = []
    const onStray = (reason: unknown) => void stray.push(reason)

    beforeAll(async () => {
      process.on('unhandledRejection', onStray)
      await using _ = await open()
    }, 60_000)

    afterAll(() => {
      process.off('unhandledRejection', onStray)
      expect(stray).toEqual([])
    })

    test.concurrent('Q1: while the engine is down, or hangs, producers are told within 2 s, and need no help after it', async () => {
      await using server = await open()
      const one = broker(server.url)
      const queue = noteQueue()
      const producer = one.producer(queue)
      await producer.enqueue(note('before'), { id: 'before' })
      for (const [away, back] of [
        [server.gate.shut, server.gate.open],
        [server.gate.freeze, server.gate.thaw],
      ] as const) {
        away()
        for (const call of [() => producer.enqueue(note('x'), { id: 'during' }), one.ping]) {
          await promptly('to be told', 2_300, () => expect(call()).rejects.toBeInstanceOf(BrokerDownError))
        }
        back()
        await until('it takes jobs again', () => accepts(() => producer.enqueue(note('y'), { id: 'after' })))
      }
      await one.close()
    }, 60_000)

    test.concurrent('an engine that is down from the start is found when it comes', async () => {
      await using server = await open()
      server.gate.shut()
      const one = broker(server.url)
      const queue = noteQueue()
      const seen: string[] = []
      one.consume(queue, async ({ text }) => seen.push(text), { onError: ignore })
      const producer = one.producer(queue)
      await expect(producer.enqueue(note('x'), { id: 'x' })).rejects.toBeInstanceOf(BrokerDownError)
      await expect(one.verify()).rejects.toBeInstanceOf(BrokerDownError)
      server.gate.open()
      await until('it takes jobs', () => accepts(() => producer.enqueue(note('late'), { id: 'late' })))
      await until('the consumer is there', () => seen.includes('late'))
      await one.close()
    }, 60_000)

    test.concurrent('Q2: workers go on after ten outages under load, and every job runs', async () => {
      await using server = await open()
      const one = broker(server.url)
      const queue = noteQueue()
      const producer = one.producer(queue)
      const ran = new Set<string>()
      one.consume(queue, async (_, { id }) => void ran.add(id), { onError: ignore, concurrency: 4 })
      const accepted = new Set<string>()
      let loading = true
      const load = (async () => {
        for (let n = 0; loading; n += 1) {
          const id = `job-${n}`
          if (await accepts(() => producer.enqueue(note(id), { id }))) accepted.add(id)
          await Bun.sleep(5) // the pace of the load
        }
      })()
      for (let outage = 0; outage < 10; outage += 1) {
        const before = accepted.size
        await until('jobs are taken', () => accepted.size > before + 5)
        server.gate.shut()
        await Bun.sleep(50 + outage * 20) // each outage is longer than the one before
        server.gate.open()
      }
      loading = false
      await load
      await until('every accepted job has run', () => accepted.isSubsetOf(ran), { ms: 20_000 })
      await one.close()
    }, 60_000)

    test.concurrent('Q3: after an outage a job is picked up within 100 ms again, in less than 15 s', async () => {
      await using server = await open()
      const one = broker(server.url)
      const queue = noteQueue()
      const producer = one.producer(queue)
      const ran = new Map<string, number>()
      one.consume(queue, async (_, { id }) => ran.set(id, performance.now()), { onError: ignore })
      let made = 0
      /** Until it ran, in ms; null where it was not taken. */
      const pickedUp = async () => {
        const id = `job-${made++}`
        const sent = performance.now()
        if (!(await accepts(() => producer.enqueue(note('x'), { id })))) return null
        await until('it has run', () => ran.has(id))
        return (ran.get(id) ?? 0) - sent
      }
      const before: number[] = []
      for (let time = 0; time < 5; time += 1) before.push((await pickedUp()) ?? 0)
      // As before where the machine is too busy for it.
      const quick = Math.max(100, 2 * Math.max(...before))
      server.gate.shut()
      expect(await pickedUp()).toBeNull()
      server.gate.open()
      await until(
        'pick-up is quick',
        async () => {
          const ms = await pickedUp()
          return ms !== null && ms < quick
        },
        { ms: 15_000 },
      )
      await one.close()
    }, 60_000)

    test.concurrent('connections that die without a word are replaced, and the next job runs within half a minute', async () => {
      await using server = await open()
      const one = broker(server.url)
      const two = broker(server.url, 'second')
      const queue = noteQueue()
      const ran: string[] = []
      one.consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
      await two.producer(queue).enqueue(note('x'), { id: 'first' })
      await until('it has run', () => ran.length === 1)
      server.gate.strand()
      await until('taken', () => accepts(() => two.producer(queue).enqueue(note('x'), { id: 'second' })), {
        ms: 20_000,
      })
      await until('it has run', () => ran.length === 2, { ms: 25_000 })
      await Promise.all([one.close(), two.close()])
    }, 60_000)

    test.concurrent('closing while the engine is down takes seconds, not for ever', async () => {
      await using server = await open()
      const one = broker(server.url)
      const queue = noteQueue()
      const begun = Promise.withResolvers<void>()
      one.consume(
        queue,
        async (_, { signal }) => {
          begun.resolve()
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
        { onError: ignore },
      )
      await one.producer(queue).enqueue(note('x'), { id: 'stuck' })
      await begun.promise
      server.gate.shut()
      const asked = performance.now()
      await one.close(200)
      expect(performance.now() - asked).toBeLessThan(7_000)
      server.gate.open()
    }, 60_000)
  })
}

async function accepts(call: () => Promise<void>): Promise<boolean> {
  try {
    await call()
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(BrokerDownError)
    return false
  }
}
