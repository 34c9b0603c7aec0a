import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { releaser } from '#lib/release'
import { accessRoutes } from '#routes/access'
import type { TestDatabase } from '../support/postgres.ts'

/** All routes of a gateway, over one test database. */
export async function openRoutes(deps: { database: TestDatabase; access: Access }): Promise<{
  routes: AnyElysia[]
  release: () => Promise<void>
}> {
  const { database, access } = deps
  const held = releaser()
  const routes: AnyElysia[] = [accessRoutes({ sql: database.sql, access })]
  return { routes, release: held.releaseAll }
}
