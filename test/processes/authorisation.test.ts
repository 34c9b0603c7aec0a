import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyElysia } from 'elysia'
import { type Access, type Scope, scopes } from '#access'
import type { RouteDoc } from '#lib/route-doc'
import { adminKey, plantKey, testAccess } from '../access/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { type Rule, rules } from './rules.ts'
import { testApp } from './support.ts'
import { openRoutes } from './whole-app.ts'

let database: TestDatabase
let access: Access
let app: AnyElysia
let release: () => Promise<void>

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql)
  const opened = await openRoutes({ database, access })
  release = opened.release
  app = testApp(access, { routes: opened.routes })
})

afterAll(async () => {
  await release()
  await access.close()
  await database.drop()
})

type Case = { name: string; method: string; path: string; rule: Rule }

function casesOf(): Case[] {
  return app.routes
    .filter(({ method }) => method !== 'WS')
    .map((route) => {
      const name = `${route.method} ${route.path}`
      const rule = rules[name]
      if (rule === undefined)
        throw new Error(`${name}: no rule in test/processes/rules.ts says who may use it`)
      const path = route.path.replace(/:\w+/g, '0197e5a0-1c2d-7000-8000-000000000000').replace('*', 'x')
      return { name, method: route.method === 'ALL' ? 'POST' : route.method, path, rule }
    })
}

/** Cases of our own routes that ask for a scope. */
function guarded(): (Case & { rule: Scope })[] {
  return casesOf().flatMap((one) => (isScope(one.rule) ? [{ ...one, rule: one.rule }] : []))
}

function isScope(rule: Rule): rule is Scope {
  return (scopes as readonly string[]).includes(rule)
}

async function status(one: Case, headers: Record<string, string>, method = one.method): Promise<number> {
  const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? '{' : null
  const stop = new AbortController()
  const request = new Request(`http://localhost${one.path}`, { method, headers, body, signal: stop.signal })
  const response = await app.handle(request)
  stop.abort()
  await response.body?.cancel().catch(() => {})
  return response.status
}

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
  expect(Object.keys(rules).sort()).toEqual([...new Set(found)].sort())
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

test('D12: open routes ask for nothing', async () => {
  const open = casesOf().filter(({ rule }) => rule === 'open')
  expect(await statuses(open, {})).toEqual(all(open, 200))
})
