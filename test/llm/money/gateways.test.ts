import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { newId } from '#lib/ids'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { spawnProcess, type TestProcess } from '../../support/process.ts'
import { plantBudget, plantPrice, standing } from './support.ts'

setDefaultTimeout(60_000)

const adminKey = 'sk-sluice-admin-of-the-budget-tests'
let database: TestDatabase
let upstream: ReturnType<typeof Bun.serve>
const gateways: { process: TestProcess; url: string }[] = []
let asked = 0
let budget = ''

/** Two gateways as they run in production, on one database, in front of one server that counts who got through. */
beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
  upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch() {
      asked += 1
      const usage = { prompt_tokens: 5, completion_tokens: 10 }
      const message = { role: 'assistant', content: 'hello' }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      return Response.json({ id: 'x', object: 'chat.completion', model: 'one', choices, usage })
    },
  })
  const provider = { name: 'penny', base_url: upstream.url.origin, dialect: 'openai-chat' }
  await database.sql`insert into providers ${database.sql({ ...provider, open: true, local: false })}`
  const spec = { match: { models: ['one'] }, candidates: [{ provider: 'penny', model: 'one' }], guests: true }
  await database.sql`insert into routes ${database.sql({ id: newId(), name: 'penny', spec: database.sql.json(spec) })}`
  // A call costs 10 tokens of 1,000 micro-units, and reserves as much.
  budget = await plantBudget(database.sql, { limit_micros: 120_000, scope: 'global' })
  await Promise.all([startGateway(), startGateway()])
})

afterAll(async () => {
  await Promise.all(gateways.map(({ process }) => process.kill()))
  await upstream.stop(true)
  await database.drop()
})

async function startGateway(): Promise<void> {
  const env = {
    ...{ DATABASE_URL: database.url, DATA_DIR: temporaryFolder(), ADMIN_KEY: adminKey, PORT: '0' },
    ...{ LOG_LEVEL: 'info', SECRET_KEY: 'a secret that all gateways share, in the tests' },
  }
  const process = spawnProcess(['bun', 'src/processes/gateway.ts'], { env })
  const line = await process.line(/"msg":"ready"/, 30_000)
  gateways.push({ process, url: `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}` })
}

async function ask(url: string): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ model: 'one', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  })
  await response.text()
  return response.status
}

test('M3: two gateways under one budget, 40 calls at once: as many pass as it pays for, and no more', async () => {
  const calls = gateways.flatMap(({ url }) => Array.from({ length: 20 }, () => ask(url)))
  const statuses = await Promise.all(calls)
  expect(new Set(statuses)).toEqual(new Set([200, 402]))
  expect(asked).toBe(statuses.filter((status) => status === 200).length)
  expect(asked).toBe(12)
  await Promise.all(gateways.map(({ process }) => process.kill('SIGTERM')))
  expect(await standing(database.sql, budget)).toEqual({ spent: 120_000, held: 0 })
})
