/**
 * Who asks.
 *
 * key         a Sluice key, `sk-sluice-…`; stored hashed, belongs to one tenant, has scopes
 * tenant      what isolates one group's record and spend from another's
 * principal   who a request acts for
 * caller      a principal, and whose credential the upstream sees
 */
export type { Authenticate, Caller } from './caller.ts'
export { may, type Principal, type Scope, scopes } from './principal.ts'
