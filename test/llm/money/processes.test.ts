import { afterAll, beforeAll, expect, test } from 'bun:test'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { plantBudget, plantPrice, standing } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
})

afterAll(() => database.drop())

/** A process of its own, asked line by line. */
function gateway() {
  const child = Bun.spawn(
    ['bun', new URL('child.ts', import.meta.url).pathname, database.url, temporaryFolder()],
    {
      ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
    },
  )
  const lines = linesOf(child.stdout)
  const next = async () =>
    JSON.parse((await lines.next()).value ?? '{}') as { admitted: number; ready?: boolean }
  return {
    ready: next,
    kill: () => {
      child.kill('SIGKILL')
      return child.exited
    },
    async call(calls: number, cost: number, settle = true): Promise<number> {
      child.stdin.write(`${JSON.stringify({ calls, cost, settle })}\n`)
      await child.stdin.flush()
      return (await next()).admitted
    },
    async stop() {
      await child.stdin.end()
      return await child.exited
    },
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + new TextDecoder().decode(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

test('M3: two gateway processes at once spend a budget to the last micro-unit and not past it; what dies gives back', async () => {
  const budget = await plantBudget(database.sql, { limit_micros: 1_000_000, subject: 'processes' })
  const one = gateway()
  const other = gateway()
  expect(await Promise.all([one.ready(), other.ready()])).toEqual([{ ready: true }, { ready: true }] as never)

  const rounds = await Promise.all([one.call(20, 20), other.call(20, 20)])
  expect(rounds).toEqual([20, 20])
  // 200,000 are left: 10 calls, whoever makes them.
  const last = await Promise.all([one.call(20, 20), other.call(20, 20)])
  expect(last[0] + last[1]).toBe(10)
  await until('all is told', async () => (await standing(database.sql, budget)).spent === 1_000_000)

  // A reset, then one dies with calls under way that nobody will ever settle.
  await database.sql`update budget_periods set forgiven_micros = settled_micros`
  await until('the reset is felt', async () => (await one.call(1, 900, false)) === 1)
  expect(await other.call(1, 200)).toBe(0)
  await one.kill()
  await until('its lease has run out', async () => (await other.call(1, 200)) === 1)
  expect((await standing(database.sql, budget)).spent).toBeLessThanOrEqual(1_000_000)
  expect(await other.stop()).toBe(0)
  await until(
    'the last settlement is told',
    async () => (await standing(database.sql, budget)).spent === 200_000,
  )
}, 60_000)
