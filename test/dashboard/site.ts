import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/port.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { spawnProcess } from '../support/process.ts'

export type Site = {
  url: string
  adminKey: string
  sql: TestDatabase['sql']
  /** As the administrator. @throws Error unless it answers 2xx */
  ask<Body>(method: string, path: string, body?: unknown): Promise<Body>
  keyWith(scopes: string[]): Promise<string>
  /** Of the gateway's log. */
  lines(): string[]
  stop(): Promise<void>
}

const adminKey = 'sk-sluice-admin-of-the-pages'

/** A gateway and workers as they run in production, for a browser to look at. */
export async function startSite(queues: string[], more: Record<string, string> = {}): Promise<Site> {
  const database = await testDatabase()
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-site-'))
  const port = freePort()
  const env = {
    ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, ADMIN_KEY: adminKey, PORT: String(port) },
    ...{ HOST: '127.0.0.1', LOG_LEVEL: 'info', PRIVATE_ADDRESSES: 'true', QUEUE_URL: undefined },
    ...more,
  }
  const gateway = spawnProcess(['bun', 'src/processes/gateway.ts'], { env })
  await gateway.line(/"msg":"ready"/, 30_000)
  const worker = spawnProcess(['bun', 'src/processes/worker.ts', ...queues], { env })
  await worker.line(/"msg":"ready"/, 30_000)
  const url = `http://127.0.0.1:${port}`

  async function ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const answer = await fetch(url + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Body
  }
  return {
    ...{ url, adminKey, sql: database.sql, ask },
    lines: () => gateway.lines,
    async keyWith(scopes) {
      return (await ask<{ key: string }>('POST', '/api/keys', { scopes })).key
    },
    async stop() {
      await Promise.all([gateway.kill('SIGTERM'), worker.kill('SIGTERM')])
      await database.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
