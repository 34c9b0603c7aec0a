import type { Scope } from '#access'

/**
 * Who may use which route of the gateway:
 * - a scope: our own routes; `authorise` asks for it
 * - `open`: anybody
 * - `proxied`: the proxy's own rule, `authenticate`
 */
export type Rule = Scope | 'open' | 'proxied'

/** Every route of the gateway has a line here: a new one without fails the test of this table. */
export const rules: Record<string, Rule> = {
  'GET /': 'open',
  'GET /docs': 'open',
  'GET /openapi.json': 'open',
  'GET /health': 'open',
  'GET /ready': 'open',
  'GET /ready/proxying': 'open',
  'GET /metrics': 'read',
  'GET /metrics/json': 'read',

  'POST /api/keys': 'keys',
  'GET /api/keys': 'keys',
  'GET /api/keys/:id': 'keys',
  'DELETE /api/keys/:id': 'keys',
  'POST /api/keys/:id/revoke': 'keys',
  'POST /api/tenants': 'admin',
  'GET /api/tenants': 'admin',
  'GET /api/tenants/:id': 'admin',
}
