import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { spawnProcess, type TestProcess } from '../support/process.ts'
import { testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Gateway and worker as they run in production, on a database and a queue engine of their own. */
export type Product = {
  url: string
  adminKey: string
  dataDir: string
  databaseUrl: string
  sql: TestDatabase['sql']
  gateway(): TestProcess
  worker(): TestProcess
  /** The same gateway again, on the same port and data directory. */
  startGateway(): Promise<void>
  startWorker(): Promise<void>
  /** GET of our own API as the administrator. @throws Error unless it answers 2xx */
  read<Body>(path: string): Promise<Body>
  /** Resolves when all that was accepted is stored. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export type Engine = 'postgres' | 'redis'

export type Exchange = {
  id: string
  outcome: string
  status: number | null
  dialect: string | null
  provider: string | null
  model_asked: string | null
  model_served: string | null
  request_sha256: string | null
  response_sha256: string | null
  conversation_id: string | null
  usage: { input: number | null; output: number | null; final: boolean } | null
  error: string | null
  tags: string[]
}

export type Page<Item> = { items: Item[]; next_cursor: string | null }

const adminKey = 'sk-sluice-admin-of-the-journeys'

export async function startProduct(engine: Engine, settings: Record<string, string> = {}): Promise<Product> {
  const database = await testDatabase()
  const redis = engine === 'redis' ? await testRedis() : null
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-journey-'))
  const env: Record<string, string> = {
    ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, ADMIN_KEY: adminKey, PORT: '0', LOG_LEVEL: 'info' },
    ...(redis === null ? {} : { QUEUE_URL: redis.url }),
    ...settings,
  }
  let gateway = await startGateway()
  let worker = await startWorker()
  const port = readyPort(gateway)
  const url = `http://127.0.0.1:${port}`
  env.PORT = String(port)

  return {
    ...{
      url,
      adminKey,
      dataDir,
      databaseUrl: database.url,
      sql: database.sql,
      gateway: () => gateway,
      worker: () => worker,
    },
    async startGateway() {
      gateway = await startGateway()
    },
    async startWorker() {
      worker = await startWorker()
    },
    read,
    settled: () => until('everything accepted is stored', isSettled, 30_000),
    async stop() {
      await Promise.all([gateway.kill('SIGTERM'), worker.kill('SIGTERM')])
      await redis?.stop()
      await database.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }

  async function startGateway(): Promise<TestProcess> {
    const started = spawnProcess(['bun', 'src/processes/gateway.ts'], { env })
    await started.line(/"msg":"ready"/, 20_000)
    return started
  }

  async function startWorker(): Promise<TestProcess> {
    const started = spawnProcess(
      ['bun', 'src/processes/worker.ts', 'logging', 'classification', 'upkeep', 'webhooks'],
      { env },
    )
    await started.line(/"msg":"ready"/, 20_000)
    return started
  }

  async function read<Body>(path: string): Promise<Body> {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${adminKey}` } })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Body
  }

  async function isSettled(): Promise<boolean> {
    type Total = { accepted: number; stored: number; quarantined: number; dropped: number; open: number }
    const { total } = await read<{ total: Total }>('/api/ledger')
    return total.open === 0 && total.accepted === total.stored + total.quarantined + total.dropped
  }
}

function readyPort(gateway: TestProcess): number {
  const line = gateway.lines.find((text) => text.includes('"msg":"ready"')) ?? ''
  return (JSON.parse(line) as { port: number }).port
}
