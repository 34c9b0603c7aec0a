import { afterAll, beforeAll, expect, test } from 'bun:test'
import { pino } from 'pino'
import { FinalJobError, type Flow, flowReports, flowSeries, openBroker, openFlow, workersSeen } from '#broker'
import { addDuration, emptyDurations, percentile } from '../../src/broker/durations.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { ignore, note, noteQueue } from './server.ts'

const log = pino({ level: 'silent' })
let database: TestDatabase
let flow: Flow

beforeAll(async () => {
  database = await testDatabase()
  flow = openFlow({ sql: database.sql, process: 'test', log })
})

afterAll(async () => {
  await flow.close()
  await database.drop()
})

test('a percentile is at most a fifth off', () => {
  const counts = emptyDurations()
  for (let ms = 1; ms <= 1_000; ms += 1) addDuration(counts, ms)
  for (const share of [0.5, 0.95, 0.99]) {
    const found = percentile(counts, share) ?? 0
    expect(Math.abs(found / (share * 1_000) - 1)).toBeLessThan(0.2)
  }
  expect(percentile(emptyDurations(), 0.5)).toBeNull()
})

test('consumers are seen while they live, and what they did is counted by outcome and kind', async () => {
  const one = openBroker(undefined, database.url, { log, name: 'test', flow })
  const queue = noteQueue({ retry: { attempts: 2, backoffMs: 1, backoffMaxMs: 1 } })
  const consumer = one.consume(
    queue,
    async ({ text }) => {
      if (text === 'bad') throw new Error('no luck')
      if (text === 'hopeless') throw new FinalJobError('gone')
    },
    { concurrency: 3, onError: ignore },
  )
  const producer = one.producer(queue)
  for (const text of ['fine', 'good', 'bad', 'hopeless']) {
    await producer.enqueue(note(text), { id: text, name: text === 'fine' ? 'other' : 'note' })
  }
  await until('all have ended', async () => {
    const { completed, failed } = await one.counts(queue.name)
    return completed === 2 && failed === 2
  })
  await flow.flush()
  const seen = (await workersSeen(database.sql)).filter((worker) => worker.queue === queue.name)
  expect(seen).toMatchObject([{ process: 'test', pid: process.pid, concurrency: 3, running: 0 }])

  const [all] = (await flowReports(database.sql, { minutes: 15 })).filter((one) => one.queue === queue.name)
  expect(all).toMatchObject({ done: 2, failed: 2, retried: 1 })
  expect(all?.run.p99).toBeGreaterThan(0)
  expect(all?.wait.p50).toBeGreaterThan(0)
  const kinds = await flowReports(database.sql, { minutes: 15, kindsOf: queue.name })
  expect(kinds.map(({ name, done }) => [name, done])).toEqual([
    ['note', 1],
    ['other', 1],
  ])
  const points = (await flowSeries(database.sql, { minutes: 60 })).filter(
    (point) => point.queue === queue.name,
  )
  expect(points.reduce((sum, point) => sum + point.done, 0)).toBe(2)

  await consumer.close()
  expect((await workersSeen(database.sql)).filter((worker) => worker.queue === queue.name)).toEqual([])
  await one.close()
})

test('counts of several processes add up', async () => {
  const other = openFlow({ sql: database.sql, process: 'other', log })
  for (const each of [flow, other]) {
    for (let n = 0; n < 3; n += 1) {
      each.observe({ queue: 'both', name: 'x', outcome: 'done', waitMs: 100, runMs: 10 })
    }
    await each.flush()
  }
  const [report] = (await flowReports(database.sql, { minutes: 5 })).filter(({ queue }) => queue === 'both')
  expect(report).toMatchObject({ done: 6 })
  expect(report?.wait.p50).toBeGreaterThan(80)
  await other.close()
})
