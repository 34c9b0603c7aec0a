/**
 * Who asks.
 *
 * key         a Sluice key, `sk-sluice-…`; stored hashed, belongs to one tenant, has scopes
 * tenant      what isolates one group's record and spend from another's
 * principal   who a request acts for
 * caller      a principal, and whose credential the upstream sees
 * directory   all keys in memory, by hash; kept equal to the database
 * session     a browser page's stay: a signed cookie that stands for a key
 * audit       who did what to what
 * snapshot    the directory in a file, for a start without the database
 */
export { type Access, type AccessOptions, type AccessState, openAccess } from './access.ts'
export { ensureAdminKey } from './admin-key.ts'
export { type Audit, type AuditOptions, openAudit } from './audit.ts'
export type { AuditView } from './audit-routes.ts'
export type { Authorise } from './authenticate.ts'
export type { Authenticate, Caller } from './caller.ts'
export { dropSession, dropSetSession, hasSession } from './cookie.ts'
export { type InternalKeys, openInternalKeys } from './internal-keys.ts'
export type { Me } from './login-routes.ts'
export { may, type Principal, type Scope, scopes } from './principal.ts'
export { isKeyGood } from './queries.ts'
export { defineTool, type Tool, type ToolContext } from './tool.ts'
export { accessUpkeep } from './upkeep.ts'
