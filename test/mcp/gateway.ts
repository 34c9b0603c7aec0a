import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { spawnProcess, type TestProcess } from '../support/process.ts'
import { type EverythingHttp, serveEverything } from './fixtures/everything-http.ts'

/** A gateway as it runs in production, without a worker. */
export type TestGateway = {
  url: string
  adminKey: string
  sql: TestDatabase['sql']
  dataDir: string
  process(): TestProcess
  /** Our own API as the administrator. @throws Error unless it answers 2xx */
  api<Body>(method: string, path: string, body?: unknown): Promise<Body>
  /** `kill -9`, and the same again: same port, same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export type GatewayWithServer = TestGateway & { fixture: EverythingHttp }

/** A gateway that has the server of all kinds of things, by the name `all`. */
export async function startGatewayWithServer(): Promise<GatewayWithServer> {
  const fixture = serveEverything()
  const gateway = await startGateway()
  await gateway.api('POST', '/api/mcp/servers', { name: 'all', transport: 'http', url: fixture.url })
  return {
    ...gateway,
    fixture,
    async stop() {
      await gateway.stop()
      await fixture.stop()
    },
  }
}

const adminKey = 'sk-sluice-admin-of-the-tests'

export async function startGateway(settings: Record<string, string> = {}): Promise<TestGateway> {
  const database = await testDatabase()
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-mcp-'))
  const env: Record<string, string> = {
    ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, ADMIN_KEY: adminKey, PORT: '0', LOG_LEVEL: 'info' },
    ...settings,
  }
  let gateway = await start()
  const line = gateway.lines.find((text) => text.includes('"msg":"ready"')) ?? ''
  const { port } = JSON.parse(line) as { port: number }
  env.PORT = String(port)
  const url = `http://127.0.0.1:${port}`

  async function start(): Promise<TestProcess> {
    const started = spawnProcess([process.execPath, 'src/processes/gateway.ts'], { env })
    await started.line(/"msg":"ready"/, 20_000)
    return started
  }

  return {
    ...{ url, adminKey, dataDir, sql: database.sql, process: () => gateway },
    async api<Body>(method: string, path: string, body?: unknown): Promise<Body> {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${adminKey}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
      return answer.status === 204 ? (undefined as Body) : ((await answer.json()) as Body)
    },
    async restart() {
      await gateway.kill('SIGKILL')
      gateway = await start()
    },
    async stop() {
      await gateway.kill('SIGTERM')
      await database.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
