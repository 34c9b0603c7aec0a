import { describe, expect, test } from 'bun:test'
import { openGate } from '../support/gate.ts'
import { spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { broker, ignore, note, noteQueue, type OpenServer } from './server.ts'

export function processCases(
  engine: string,
  { open, sessions }: { open: OpenServer; sessions: number },
): void {
  describe(`processes on ${engine}`, () => {
    test.concurrent('Q4: the job of a worker killed with kill -9 runs again within 15 s, and no other is lost', async () => {
      await using server = await open()
      const queue = noteQueue()
      const one = broker(server.url)
      const producer = one.producer(queue)
      await producer.enqueue(note('x'), { id: 'cut-off' })
      const child = spawnProcess(['bun', 'test/broker/stuck-worker.ts', server.url, queue.name])
      await child.line(/^begun cut-off$/)
      const ran = new Map<string, number>()
      one.consume(queue, async (_, { id, attempt }) => ran.set(id, attempt), { onError: ignore })
      await producer.enqueue(note('y'), { id: 'other' })
      await until('the other job has run', () => ran.has('other'))
      // Its lock is renewed every 5 s: killed right after a renewal is the worst case.
      await child.kill('SIGKILL')
      const killed = performance.now()
      await until('it has run again', () => ran.has('cut-off'), { ms: 20_000 })
      expect(performance.now() - killed).toBeLessThan(15_000)
      expect(Object.fromEntries(ran)).toEqual({ 'cut-off': 1, other: 1 })
      await until('it is done once', async () => (await one.counts(queue.name)).completed === 2)
      await one.close()
    }, 60_000)

    test.concurrent("a worker out of touch for longer than its lock learns that its job is another's", async () => {
      await using server = await open()
      const route = openGate(server.gate.port)
      const apart = broker(server.url.replace(`:${server.gate.port}`, `:${route.port}`), 'apart')
      const other = broker(server.url, 'other')
      const queue = noteQueue()
      const begun = Promise.withResolvers<void>()
      const told = Promise.withResolvers<unknown>()
      apart.consume(
        queue,
        async (_, { signal }) => {
          begun.resolve()
          signal.addEventListener('abort', () => told.resolve(signal.reason))
          await told.promise
        },
        { onError: ignore },
      )
      await other.producer(queue).enqueue(note('x'), { id: 'lost' })
      await begun.promise
      const took = Promise.withResolvers<void>()
      const finish = Promise.withResolvers<void>()
      const taken = async () => {
        took.resolve()
        await finish.promise
      }
      other.consume(queue, taken, { onError: ignore })
      route.freeze()
      await took.promise
      route.thaw()
      expect(String(await told.promise)).toContain('lost to another worker')
      finish.resolve()
      await until('it is done once', async () => (await other.counts(queue.name)).completed === 1)
      await Promise.all([apart.close(), other.close()])
      route.close()
    }, 60_000)

    test.concurrent('at the end of its grace a job is told, and another worker has it at once, as its first try', async () => {
      await using server = await open()
      const queue = noteQueue()
      const leaving = broker(server.url, 'leaving')
      const staying = broker(server.url, 'staying')
      const begun = Promise.withResolvers<void>()
      const told = Promise.withResolvers<unknown>()
      leaving.consume(
        queue,
        async (_, { signal }) => {
          begun.resolve()
          signal.addEventListener('abort', () => told.resolve(signal.reason))
          await new Promise(() => {})
        },
        { onError: ignore },
      )
      await staying.producer(queue).enqueue(note('x'), { id: 'moving' })
      await begun.promise
      const attempts: number[] = []
      staying.consume(queue, async (_, { attempt }) => attempts.push(attempt), { onError: ignore })
      const asked = performance.now()
      await leaving.close(300)
      expect(String(await told.promise)).toContain('the process stops')
      await until('the other worker has it', () => attempts.length === 1)
      expect(performance.now() - asked).toBeLessThan(3_000)
      expect(attempts).toEqual([1])
      await staying.close()
    }, 60_000)

    test.concurrent('a job that ends within the grace is done, and nothing new is begun', async () => {
      await using server = await open()
      const queue = noteQueue()
      const one = broker(server.url)
      const begun = Promise.withResolvers<void>()
      const finish = Promise.withResolvers<void>()
      let ran = 0
      const consumer = one.consume(
        queue,
        async () => {
          ran += 1
          begun.resolve()
          await finish.promise
        },
        { onError: ignore },
      )
      const producer = one.producer(queue)
      await producer.enqueue(note('x'), { id: 'a' })
      await producer.enqueue(note('x'), { id: 'b' })
      await begun.promise
      const closed = consumer.close(5_000)
      finish.resolve()
      await closed
      expect(ran).toBe(1)
      expect(await one.counts(queue.name)).toMatchObject({ completed: 1, waiting: 1, active: 0 })
      await one.close()
    }, 60_000)

    test.concurrent('connections are few: two producers and two consumers', async () => {
      await using server = await open()
      const gateway = broker(server.url, 'gateway')
      const worker = broker(server.url, 'worker')
      await Promise.all([gateway.verify(), worker.verify()])
      let ran = 0
      const queues = [noteQueue(), noteQueue()]
      for (const queue of queues) {
        const onError = ignore
        worker.consume(
          queue,
          async () => {
            ran += 1
          },
          { onError, concurrency: 4 },
        )
      }
      const jobs = Array.from({ length: 40 }, (_, n) => `job-${n}`)
      const producers = queues.map((queue) => gateway.producer(queue))
      await Promise.all(producers.flatMap((each) => jobs.map((id) => each.enqueue(note('x'), { id }))))
      await until('all have run', () => ran === 80)
      expect(server.gate.connections()).toBeLessThanOrEqual(sessions)
      await Promise.all([gateway.close(), worker.close()])
      await until('all are closed', () => server.gate.connections() === 0)
    }, 60_000)
  })
}
