import type { AnyElysia } from 'elysia'
import { pino } from 'pino'
import { type Access, openAudit } from '#access'
import { type Broker, type Flow, openBroker, openFlow } from '#broker'
import { openBoard } from '#dashboard'
import { openVault, type Vault } from '#lib/vault'
import { jobs } from '#queues/jobs'
import type { QueueContract } from '#queues/queue'
import { accessRoutes } from '#routes/access'
import { dashboardRoutes } from '#routes/dashboard'
import { plantKey, testAccess } from '../access/support.ts'
import { type Note, noteQueue } from '../broker/server.ts'
import { testApp } from '../processes/support.ts'
import { testDatabase } from '../support/postgres.ts'

const log = pino({ level: 'silent' })

export type TestBoard = AsyncDisposable & {
  app: AnyElysia
  access: Access
  broker: Broker
  flow: Flow
  vault: Vault
  board: ReturnType<typeof openBoard>
  sql: Awaited<ReturnType<typeof testDatabase>>['sql']
  queue: QueueContract<Note>
  keyWith(scopes: string[], tenant?: string): Promise<string>
}

/** A dashboard over a real engine, with one queue of notes beside that of the rows. */
export async function testBoard(queueUrl?: string, queue = noteQueue()): Promise<TestBoard> {
  const { sql, url, drop } = await testDatabase()
  const access = await testAccess(sql)
  const flow = openFlow({ sql, process: 'worker of the tests', log })
  const broker = openBroker(queueUrl, url, { log, name: 'test', flow })
  await broker.verify()
  const { authorise } = access
  const vault = openVault('a secret of the tests, long enough for all')
  const board = openBoard({
    ...{ sql, broker, authorise, audit: openAudit({ sql }), log, rowsQueue: jobs.name },
    ...{ contracts: [jobs, queue], everyMs: 50, slowMs: 50, vault, allowPrivate: true },
  })
  const app = testApp(access, { routes: [accessRoutes({ sql, access }), dashboardRoutes(board)] })
  return {
    ...{ app, access, broker, flow, vault, board, sql, queue },
    async keyWith(scopes, tenant = 'default') {
      const { key } = await plantKey(sql, { scopes, tenant })
      await access.refresh()
      return key
    },
    async [Symbol.asyncDispose]() {
      board.close()
      await broker.close()
      await flow.close()
      await access.close()
      await drop()
    },
  }
}
