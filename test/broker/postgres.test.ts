import { expect, test } from 'bun:test'
import { BrokerDownError } from '#broker'
import { openGate } from '../support/gate.ts'
import { emptyDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { backlogCases } from './backlogs.ts'
import { inspectionCases } from './inspections.ts'
import { jobCases } from './jobs.ts'
import { outageCases } from './outages.ts'
import { processCases } from './processes.ts'
import { broker, type EngineServer, ignore, note, noteQueue } from './server.ts'

jobCases('Postgres', open)
inspectionCases('Postgres', open)
backlogCases('Postgres', open)
outageCases('Postgres', open)
processCases('Postgres', { open, sessions: 8 })

async function open(): Promise<EngineServer> {
  const database = await testDatabase()
  const url = new URL(database.url)
  const gate = openGate(Number(url.port))
  url.hostname = '127.0.0.1'
  url.port = String(gate.port)
  return {
    url: url.href,
    gate,
    async [Symbol.asyncDispose]() {
      gate.close()
      await database.drop()
    },
  }
}

test('sessions that the server ends are replaced, and a job is picked up at once after it', async () => {
  const database = await testDatabase()
  const one = broker(database.url)
  const queue = noteQueue()
  const ran: string[] = []
  one.consume(queue, async (_, { id }) => ran.push(id), { onError: ignore })
  await one.producer(queue).enqueue(note('x'), { id: 'before' })
  await until('it has run', () => ran.length === 1)
  const took: number[] = []
  for (let time = 0; time < 5; time += 1) {
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'test'`
    const sent = await sendUntilTaken(() => one.producer(queue).enqueue(note('x'), { id: `after-${time}` }))
    await until('it has run', () => ran.includes(`after-${time}`))
    took.push(performance.now() - sent)
  }
  // A busy machine may hold up some; not most.
  expect(took.toSorted((a, b) => a - b)[2]).toBeLessThan(1_500)
  await one.close()
  await database.drop()
}, 120_000)

test('many processes may start at once on a database that BullMQ has never seen', async () => {
  const database = await emptyDatabase()
  const many = Array.from({ length: 6 }, (_, n) => broker(database.url, `process-${n}`))
  await Promise.all(many.map((each) => each.verify()))
  await Promise.all(many.map((each) => each.close()))
  await database.drop()
}, 20_000)

test('a database whose user may not make tables is a matter for the operator, in one line', async () => {
  const database = await testDatabase()
  await database.sql.unsafe(`create role guest_${process.pid} login password 'guest'`)
  const url = new URL(database.url)
  url.username = `guest_${process.pid}`
  url.password = 'guest'
  const one = broker(url.href)
  await expect(one.verify()).rejects.toThrow('Queue tables: permission denied')
  await one.close()
  await database.sql.unsafe(`drop role guest_${process.pid}`)
  await database.drop()
})

async function sendUntilTaken(send: () => Promise<void>): Promise<number> {
  for (;;) {
    try {
      await send()
      return performance.now()
    } catch (error) {
      expect(error).toBeInstanceOf(BrokerDownError)
    }
  }
}
