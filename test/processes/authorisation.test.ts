import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyElysia } from 'elysia'
import { type Access, scopes } from '#access'
import { newId } from '#lib/ids'
import type { RouteDoc } from '#lib/route-doc'
import { adminKey, plantKey, testAccess } from '../access/support.ts'
import { called, stored } from '../capture/store-support.ts'
import { plantJob } from '../dashboard/rows.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Case, casesOf as casesOfApp, guarded as guardedOf, statusOf } from './cases.ts'
import { plantBulk, plantDelivery, plantSchedule, plantWebhook, plantWholeJob } from './planted.ts'
import { rules } from './rules.ts'
import { testApp } from './support.ts'
import { openRoutes } from './whole-app.ts'

let database: TestDatabase
let access: Access
/** The same keys, where pass-through is off. */
let strict: Access
let app: AnyElysia
let opened: Awaited<ReturnType<typeof openRoutes>>

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql)
  strict = await testAccess(database.sql, { passThrough: false })
  opened = await openRoutes({ database, access, proxied: strict })
  app = testApp(access, { routes: opened.routes })
})

afterAll(async () => {
  await opened.release()
  await strict.close()
  await access.close()
  await database.drop()
})

const casesOf = () => casesOfApp(app)
const guarded = () => guardedOf(app)
const status = (one: Case, headers: Record<string, string>, method?: string) =>
  statusOf(app, one, { headers, ...(method === undefined ? {} : { method }) })

async function statuses(cases: Case[], headers: Record<string, string>): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const one of cases) found[one.name] = await status(one, headers)
  return found
}

function all(cases: Case[], expected: number): Record<string, number> {
  return Object.fromEntries(cases.map(({ name }) => [name, expected]))
}

test('D12: every route has a rule, and every rule a route', () => {
  const found = casesOf().map(({ name }) => name)
  expect(found.length).toBeGreaterThan(10)
  expect(Object.keys(rules).filter((name) => !found.includes(name))).toEqual([])
})

test('D12: what a route says of itself is what the rule says', () => {
  for (const route of app.routes) {
    const doc: RouteDoc | undefined = route.hooks?.detail?.doc
    const rule = rules[`${route.method} ${route.path}`]
    if (doc !== undefined) expect<unknown>([route.path, doc.scope]).toEqual([route.path, rule])
  }
})

test('D12: a guarded route takes no guest, no provider credential and no key that is no more', async () => {
  const revoked = await plantKey(database.sql, { scopes: ['admin'] })
  const expired = await plantKey(database.sql, { scopes: ['admin'], expires_at: '2020-01-01T00:00:00Z' })
  await database.sql`update access_keys set revoked_at = now() where id = ${revoked.id}`
  await access.refresh()
  const cases = guarded()
  for (const headers of [
    {},
    { authorization: 'Bearer sk-ant-api03-of-the-client' },
    { authorization: 'Bearer sk-sluice-made-up' },
    { 'x-api-key': revoked.key },
    { authorization: `Bearer ${expired.key}` },
    { authorization: `Basic ${btoa(`admin:${adminKey}`)}` },
    { cookie: `key=${adminKey}` },
  ]) {
    expect(await statuses(cases, headers as Record<string, string>)).toEqual(all(cases, 401))
  }
})

test('D12: a proxied route takes a key for calls, and where pass-through is off nothing else', async () => {
  const { sql } = database
  const caller = await plantKey(sql, { scopes: ['call'] })
  const other = await plantKey(sql, { scopes: ['read', 'replay', 'keys'] })
  const revoked = await plantKey(sql, { scopes: ['call'] })
  await sql`update access_keys set revoked_at = now() where id = ${revoked.id}`
  await strict.refresh()
  const cases = casesOf().filter(({ rule }) => rule === 'proxied')
  expect(cases.length).toBeGreaterThan(3)
  for (const headers of [{}, { 'x-api-key': 'sk-ant-own' }, { 'x-api-key': revoked.key }])
    expect(await statuses(cases, headers as Record<string, string>)).toEqual(all(cases, 401))
  expect(await statuses(cases, { 'x-api-key': other.key })).toEqual(all(cases, 403))
  for (const one of cases) {
    const got = await status(one, { 'x-api-key': caller.key })
    expect([one.name, got === 401 || got === 403]).toEqual([one.name, false])
  }
})

test('D12: HEAD is guarded as GET is', async () => {
  for (const one of guarded().filter(({ method }) => method === 'GET'))
    expect([one.name, await status(one, {}, 'HEAD')]).toEqual([one.name, 401])
})

test('D12: every scope but the one is not enough', async () => {
  for (const one of guarded()) {
    const others = scopes.filter((scope) => scope !== one.rule && scope !== 'admin')
    const { key } = await plantKey(database.sql, { scopes: [...others] })
    await access.refresh()
    expect([one.name, await status(one, { authorization: `Bearer ${key}` })]).toEqual([one.name, 403])
  }
})

test('D12: the one scope is enough, and so is admin', async () => {
  for (const one of guarded()) {
    const { key } = await plantKey(database.sql, { scopes: [one.rule] })
    await access.refresh()
    for (const token of [key, adminKey]) {
      const got = await status(one, { authorization: `Bearer ${token}` })
      expect([one.name, got === 401 || got === 403 || got >= 500]).toEqual([one.name, false])
    }
  }
})

test('D12: an object answers to its own tenant, to admins, and to nobody else', async () => {
  const { sql } = database
  await sql`insert into tenants (id, name) values ('there', 'There')`
  const everything = scopes.filter((scope) => scope !== 'admin')
  const owner = await plantKey(sql, { tenant: 'there', scopes: everything })
  const stranger = await plantKey(sql, { tenant: 'default', scopes: everything })
  const spare = await plantKey(sql, { tenant: 'there' })
  await access.refresh()
  const exchange = called({ messages: ['user: hello'], session: 'one' }, { open: { tenant: 'there' } })
  await stored(opened.handler, [exchange])
  const [conversation] = await sql<[{ id: string }]>`select id from conversations where tenant = 'there'`

  const webhook = await plantWebhook(sql)
  const objects: Record<string, string> = {
    '/api/exchanges': exchange.open.id,
    '/api/conversations': conversation.id,
    '/api/keys': spare.id,
    '/api/budgets': await plantRule('budgets', { period: 'day', limit_micros: 1, thresholds: [80] }),
    '/api/queues/jobs/rows': await plantJob(sql, { tenant: 'there', input: {} }),
    '/api/jobs': await plantWholeJob(sql),
    '/api/schedules': await plantSchedule(sql),
    '/api/webhooks': webhook,
    '/api/deliveries': await plantDelivery(sql, webhook),
    '/api/jobs/bulk': await plantBulk(sql),
    '/api/climbs': await plantClimb(exchange.open.id),
    '/api/tasks': await plantTask(exchange.open.id),
    '/api/limits': await plantRule('rate_limits', { window_seconds: 60, requests: 1 }),
    '/api/contexts': await plantContext(),
  }
  const cases = app.routes.flatMap(({ method, path }): Case[] => {
    const name = `${method} ${path}`
    const rule = rules[name]
    const [prefix, rest] = path.split(/\/:(?:id|name)\b/)
    if (rest === undefined || rule === undefined || rule === 'admin') return []
    // What is put under a name is the own tenant's.
    if (method === 'PUT') return []
    // The queues of the system are no tenant's: what is shown of them to whom is a test of the dashboard's.
    if (prefix === '/api/queues/:queue/jobs' || prefix === '/api/queues/alerts') return []
    const id = objects[prefix ?? '']
    if (id === undefined) throw new Error(`${name}: no object of another tenant is tried on it`)
    return [
      {
        name,
        method,
        rule,
        body: '{}',
        answer: '',
        path: `${prefix}/${id}${rest.replace(':number', '1').replace(':part', 'input')}`,
      },
    ]
  })
  expect(cases.length).toBeGreaterThan(8)
  expect(await statuses(cases, { authorization: `Bearer ${stranger.key}` })).toEqual(all(cases, 404))
  // What deletes would leave nothing for the next.
  const rest = cases.filter(({ name }) => !/^DELETE .api.(schedules|webhooks|contexts)/.test(name))
  // A name is one's own tenant's, also for an admin.
  const byId = rest.filter(({ name }) => !name.includes('/api/contexts'))
  for (const [token, seen] of [[owner.key, rest] as const, [adminKey, byId] as const])
    expect(found(await statuses(seen, { authorization: `Bearer ${token}` }))).toEqual(all(seen, 200))
})

/** 202 and 409 are said of what is there, too: it was taken on, or is in a state that does not allow it. */
function found(got: Record<string, number>): Record<string, number> {
  const entries = Object.entries(got)
  return Object.fromEntries(entries.map(([name, one]) => [name, one === 202 || one === 409 ? 200 : one]))
}

async function plantRule(table: string, columns: Record<string, unknown>): Promise<string> {
  const id = newId()
  const rule = { id, name: '', scope: 'tenant', subject: 'there', tenant: 'there', ...columns }
  await database.sql`insert into ${database.sql(table)} ${database.sql(rule)}`
  return id
}

async function plantClimb(exchange_id: string): Promise<string> {
  const id = newId()
  const row = { id, tenant: 'there', exchange_id, outcome: 'rung', steps: '[]', cost_micros: 0, unpriced: 0 }
  await database.sql`insert into climbs ${database.sql(row)}`
  return id
}

async function plantContext(): Promise<string> {
  const row = { id: newId(), tenant: 'there', name: 'theirs', content: 'x' }
  await database.sql`insert into startup_contexts ${database.sql(row)}`
  return row.name
}

async function plantTask(exchange_id: string): Promise<string> {
  const id = newId()
  const texts = { instructions: '', question: '', proposals: '[]' }
  const row = { id, tenant: 'there', climb_id: id, exchange_id, request_hash: Buffer.from('x'), ...texts }
  await database.sql`insert into human_tasks ${database.sql(row)}`
  return id
}

/** They do not end; a test of their own says what they tell to whom. */
const streams = new Set(['text/event-stream'])

/** Lists that answer nothing without these. */
const queries: Record<string, string> = { '/api/cost-report': '?by=tenant', '/api/search': '?q=hello' }

test('D12: no list shows what is not the own tenant’s', async () => {
  const { sql } = database
  const stranger = await plantKey(sql, { scopes: scopes.filter((scope) => scope !== 'admin') })
  await access.refresh()
  const lists = guarded().filter(
    ({ name, rule, answer }) =>
      name.startsWith('GET /api/') && !/[:*]/.test(name) && rule !== 'admin' && !streams.has(answer),
  )
  expect(lists.length).toBeGreaterThan(20)
  for (const { path } of lists) {
    const request = new Request(`http://localhost${path}${queries[path] ?? ''}`, {
      headers: { authorization: `Bearer ${stranger.key}` },
    })
    const response = await app.handle(request)
    expect([path, response.status]).toEqual([path, 200])
    expect([path, (await response.text()).includes('"there"')]).toEqual([path, false])
  }
})

test('HEAD of a stream ends', async () => {
  for (const path of ['/api/tail', '/api/export', `/api/jobs/${newId()}/events`]) {
    const request = new Request(`http://localhost${path}`, {
      method: 'HEAD',
      headers: { 'x-api-key': adminKey },
    })
    const response = await app.handle(request)
    expect([path, response.status, await response.text()]).toEqual([path, 200, ''])
  }
})

test('D12: whoever does not know a secret address finds nothing there', async () => {
  const secret = casesOf().filter(({ rule, method }) => rule === 'address' && method !== 'HEAD')
  expect(secret.length).toBeGreaterThan(2)
  const { key } = await plantKey(database.sql, { scopes: ['admin'] })
  await access.refresh()
  for (const headers of [{}, { authorization: `Bearer ${key}` }])
    expect(await statuses(secret, headers as Record<string, string>)).toEqual(all(secret, 404))
})

test('D12: open routes ask for nothing', async () => {
  const open = casesOf().filter(({ rule, method }) => rule === 'open' && method !== 'POST')
  expect(await statuses(open, {})).toEqual(all(open, 200))
})
