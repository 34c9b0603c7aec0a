import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import type { Access } from './access.ts'
import { keyRoutes } from './key-routes.ts'
import { tenantRoutes } from './tenant-routes.ts'

/** Keys and tenants over HTTP. What is created or revoked is in force here when the answer is sent. */
export function accessRoutes(deps: { sql: Sql; access: Access }) {
  return new Elysia({ name: 'access' }).use(keyRoutes(deps)).use(tenantRoutes(deps))
}
