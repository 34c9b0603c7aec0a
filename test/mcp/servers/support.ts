import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import { pino } from 'pino'
import { openVault } from '#lib/vault'
import { openServers, type ServersOptions } from '../../../src/mcp/servers/open-servers.ts'
import { serverRoutes } from '../../../src/mcp/servers/routes.ts'
import type { Servers } from '../../../src/mcp/servers/servers.ts'
import { adminKey, testAccess } from '../../access/support.ts'
import { ask, testApp } from '../../processes/support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import type { TestDatabase } from '../../support/postgres.ts'

export const log = pino({ level: 'silent' })
export const vaultOf = (secret = 'a secret of the tests, long enough for all') => openVault(secret)

export async function rowsOf(database: TestDatabase, more: Partial<ServersOptions> = {}): Promise<Servers> {
  return await openServers({
    ...{ sql: database.sql, log, vault: vaultOf(), allowStdio: true },
    snapshotFile: join(temporaryFolder(), 'mcp.json'),
    ...more,
  })
}

export type Api = {
  servers: Servers
  app: AnyElysia
  /** As the administrator, unless another key is given. */
  call(method: string, path: string, body?: unknown, key?: string): ReturnType<typeof ask>
  close(): Promise<void>
}

export async function apiOf(
  database: TestDatabase,
  { allowStdio = true, allowPrivate = true }: { allowStdio?: boolean; allowPrivate?: boolean } = {},
): Promise<Api> {
  const access = await testAccess(database.sql)
  const servers = await rowsOf(database, { allowStdio })
  const routes = serverRoutes({
    ...{
      sql: database.sql,
      servers,
      authorise: access.authorise,
      vault: vaultOf(),
      allowStdio,
      allowPrivate,
    },
    reports: { report: () => null, tools: () => [], refresh: async () => null },
  })
  const app = testApp(access, { routes: [routes] })
  return {
    ...{ servers, app },
    call: (method, path, body, key = adminKey) =>
      ask(app, path, {
        method,
        headers: { authorization: `Bearer ${key}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async close() {
      await servers.close()
      await access.close()
    },
  }
}
