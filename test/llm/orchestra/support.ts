import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { openVault } from '#lib/vault'
import { type Asking as OwnAsking, openAsking as openOwnAsking, openRouting, type Routing } from '#llm'
import { askingRoutes } from '#routes/llm'
import { testAccess } from '../../access/support.ts'
import { testApp } from '../../processes/support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { type Asking, openAsking } from '../adapters/support.ts'
import { quiet } from '../money/support.ts'

export type OrchestraApp = {
  database: TestDatabase
  access: Access
  asking: Asking
  routing: Routing
  own: OwnAsking
  app: AnyElysia
  folder: string
  close(): Promise<void>
}

/** `/api/orchestra` in front of a gateway whose every vendor is the mock. */
export async function openOrchestraApp(): Promise<OrchestraApp> {
  const database = await testDatabase()
  const { sql } = database
  const access = await testAccess(sql)
  const asking = await openAsking()
  const { providers, gateway } = asking
  const vault = openVault('a secret of the tests, long enough for all')
  const folder = temporaryFolder()
  const routing = await openRouting({
    sql,
    log: quiet,
    providers,
    vault,
    snapshotFile: `${folder}/routing.json`,
  })
  const own = openOwnAsking({ sql, proxy: gateway.proxy, routing, vault, adapters: asking.adapters, folder })
  const app = testApp(access, { routes: [askingRoutes({ asking: own, authorise: access.authorise })] })
  return {
    ...{ database, access, asking, routing, own, app, folder },
    async close() {
      await Promise.all([routing.close(), asking.close(), access.close()])
      await database.drop()
    },
  }
}
