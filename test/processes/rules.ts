import type { Scope } from '#access'

/**
 * Who may use which route of the gateway:
 * - a scope: our own routes; `authorise` asks for it
 * - `open`: anybody
 * - `proxied`: the proxy; `authenticate` asks for the scope `call`, or takes guests where pass-through is on
 */
export type Rule = Scope | 'open' | 'proxied'

/** Every route of the gateway has a line here: a new one without fails the test of this table. HEAD is as GET. */
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
  'GET /api/exchanges': 'read',
  'GET /api/exchanges/:id': 'read',
  'GET /api/exchanges/:id/request': 'read',
  'GET /api/exchanges/:id/response': 'read',
  'POST /api/exchanges/:id/replay': 'replay',
  'GET /api/conversations': 'read',
  'GET /api/conversations/:id': 'read',
  'GET /api/conversations/:id/turns': 'read',
  'GET /api/conversations/:id/turns/:number': 'read',
  'GET /api/conversations/:id/export': 'read',
  'GET /api/search': 'read',
  'GET /api/export': 'read',
  'GET /api/tail': 'read',
  'GET /api/ledger': 'read',

  'POST /api/budgets': 'admin',
  'GET /api/budgets': 'read',
  'GET /api/budgets/:id': 'read',
  'PATCH /api/budgets/:id': 'admin',
  'DELETE /api/budgets/:id': 'admin',
  'POST /api/budgets/:id/reset': 'admin',
  'POST /api/limits': 'admin',
  'GET /api/limits': 'read',
  'GET /api/limits/:id': 'read',
  'DELETE /api/limits/:id': 'admin',
  'GET /api/prices': 'read',
  'PUT /api/prices': 'admin',
  'DELETE /api/prices/:id': 'admin',
  'POST /api/prices/refresh': 'admin',
  'GET /api/token-stats': 'read',
  'GET /api/cost-report': 'read',

  'GET /api/routes': 'admin',
  'POST /api/routes': 'admin',
  'POST /api/routes/dry-run': 'admin',
  'GET /api/routes/:name': 'admin',
  'PUT /api/routes/:name': 'admin',
  'DELETE /api/routes/:name': 'admin',
  'GET /api/providers': 'admin',
  'GET /api/providers/:name': 'admin',
  'PUT /api/providers/:name': 'admin',
  'DELETE /api/providers/:name': 'admin',
  'POST /api/providers/:name/keys': 'admin',
  'DELETE /api/providers/:name/keys/:id': 'admin',
  'POST /api/providers/:name/reset': 'admin',
  'GET /api/models': 'read',
  'GET /api/orchestra': 'call',
  'POST /api/orchestra': 'call',
  'GET /api/orchestra/models': 'call',
  'PUT /api/orchestra/models': 'call',
  'PUT /api/orchestra/output': 'admin',
  'GET /api/orchestra/keys': 'admin',
  'PUT /api/orchestra/keys/:provider': 'admin',
  'DELETE /api/orchestra/keys/:provider': 'admin',

  'GET /api/climbs/:id': 'read',
  'GET /api/tasks': 'read',
  'GET /api/tasks/:id': 'read',
  'POST /api/tasks/:id/answer': 'admin',

  'POST /api/tenants': 'admin',
  'GET /api/tenants': 'admin',
  'GET /api/tenants/:id': 'admin',

  'ALL /v1/messages': 'proxied',
  'ALL /v1/*': 'proxied',
  'ALL /v1beta/*': 'proxied',
  'ALL /v1alpha/*': 'proxied',
  'ALL /upload/*': 'proxied',
  'ALL /download/*': 'proxied',
  'ALL /p/*': 'proxied',
}
