import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import type { Logger } from '#lib/log'
import type { Access } from './access.ts'
import { type Audit, openAudit } from './audit.ts'
import { auditRoutes } from './audit-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { loginRoutes } from './login-routes.ts'
import { tenantRoutes } from './tenant-routes.ts'

/**
 * Keys, tenants, sessions and the audit over HTTP. What is created or revoked is in force here when the answer is
 * sent.
 */
export function accessRoutes(options: {
  sql: Sql
  /** For lists, with a time limit of their own. @default sql */
  reads?: Sql
  access: Access
  audit?: Audit
  log?: Logger
  /** Where a connection comes from; null where not known. */
  addressOf?: (request: Request) => string | null
}) {
  const { sql, reads = sql } = options
  const deps = { ...options, reads, audit: options.audit ?? openAudit(options) }
  return new Elysia({ name: 'access' })
    .use(keyRoutes(deps))
    .use(tenantRoutes(deps))
    .use(loginRoutes(deps))
    .use(auditRoutes(deps))
}
