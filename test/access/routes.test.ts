import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { Access } from '#access'
import { newId } from '#lib/ids'
import { problem } from '#lib/problem'
import { accessRoutes } from '#routes/access'
import { openStore } from '#store'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { adminKey, bearer, plantKey, testAccess, verdict } from './support.ts'

let database: TestDatabase
let access: Access
let app: { handle(request: Request): Promise<Response> }
/** Holders of `keys` in two tenants. */
let here: { id: string; key: string }
let there: { id: string; key: string }

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql)
  app = appOf(access)
  await ask('POST', '/api/tenants', adminKey, { id: 'there', name: 'Over there' })
  here = await plantKey(database.sql, { scopes: ['keys', 'call', 'read'] })
  there = await plantKey(database.sql, { scopes: ['keys', 'call', 'read'], tenant: 'there' })
  await access.refresh()
})

afterAll(async () => {
  await access.close()
  await database.drop()
})

function appOf(door: Access) {
  return new Elysia()
    .onError(({ error }) => problem(error))
    .use(accessRoutes({ sql: database.sql, access: door }))
}

async function ask(method: string, path: string, key: string | null, body?: unknown) {
  const headers = key === null ? new Headers() : bearer(key)
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const response = await app.handle(new Request(`http://localhost${path}`, { method, headers, body: text }))
  const json = JSON.parse(await response.text())
  return { status: response.status, headers: response.headers, json }
}

describe('creating', () => {
  test('shows the key once, works at once here and elsewhere within a second, and stores no key', async () => {
    const elsewhere = openStore(database.url, { max: 2 })
    const other = await testAccess(elsewhere.sql)
    const made = await ask('POST', '/api/keys', adminKey, {
      ...{ name: 'Zoë’s laptop', scopes: ['call', 'read'], capture: 'metadata', tags: ['team-a'] },
      expires_at: '2999-01-01T00:00:00+02:00',
    })
    expect(made.status).toBe(201)
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { key, id } = made.json
    expect(key).toMatch(/^sk-sluice-[\w-]{43}$/)
    expect(made.json).toMatchObject({
      ...{ tenant: 'default', name: 'Zoë’s laptop', scopes: ['call', 'read'], capture: 'metadata' },
      ...{ tags: ['team-a'], status: 'active', created_by: null, expires_at: '2998-12-31T22:00:00.000Z' },
      ...{ prefix: key.slice(0, 14), last4: key.slice(-4), revoked_at: null, last_used_at: null },
    })
    expect(verdict(access, bearer(key))).toBe('ok')
    await until('the other gateway knows the key', () => verdict(other, bearer(key)) === 'ok', 1_000)

    const shown = await ask('GET', `/api/keys/${id}`, adminKey)
    expect(shown.json).toEqual({ ...made.json, key: undefined })
    const [row] = await database.sql`select row_to_json(k)::text as row from access_keys k where id = ${id}`
    expect(row?.row).not.toContain(key)

    expect((await ask('DELETE', `/api/keys/${id}`, adminKey)).json.status).toBe('revoked')
    expect(verdict(access, bearer(key))).toBe('key-revoked')
    await until(
      'the other gateway knows that it is revoked',
      () => verdict(other, bearer(key)) === 'key-revoked',
      1_000,
    )
    await other.close()
    await elsewhere.close()
  })

  test('with nothing said gives a key for calls only', async () => {
    const { json } = await ask('POST', '/api/keys', here.key)
    expect(json).toMatchObject({ scopes: ['call'], tenant: 'default', created_by: here.id, capture: null })
  })

  test('cannot grant what the maker lacks', async () => {
    for (const scope of ['admin', 'replay']) {
      const refused = await ask('POST', '/api/keys', here.key, { scopes: ['call', scope] })
      expect(refused.status).toBe(403)
      expect(refused.json.detail).toContain(scope)
    }
    expect((await ask('POST', '/api/keys', here.key, { tenant: 'there' })).status).toBe(403)
    expect((await ask('POST', '/api/keys', adminKey, { scopes: ['admin'] })).status).toBe(201)
  })

  test('says what is wrong where', async () => {
    const cases: [unknown, number, string][] = [
      ['{', 400, ''],
      [[], 422, ''],
      [{ scopes: [] }, 422, '/scopes'],
      [{ scopes: ['call', 'fly'] }, 422, '/scopes/1'],
      [{ scope: ['call'] }, 422, '/scope'],
      [{ name: 'a\u0000b' }, 422, '/name'],
      ['{"name":"\\ud800"}', 422, '/name'],
      [{ tags: ['fine', 'not fine'] }, 422, '/tags/1'],
      [{ expires_at: '2020-01-01T00:00:00Z' }, 422, '/expires_at'],
      [{ expires_at: 'tomorrow' }, 422, '/expires_at'],
      [{ tenant: 'nowhere' }, 422, '/tenant'],
    ]
    for (const [body, status, pointer] of cases) {
      const { status: got, json, headers } = await ask('POST', '/api/keys', adminKey, body)
      expect([got, json.errors?.[0]?.pointer]).toEqual([status, pointer])
      expect(headers.get('content-type')).toBe('application/problem+json')
    }
  })
})

describe('listing', () => {
  test('R12: is paged, newest first, and repeats nothing', async () => {
    for (let count = 0; count < 5; count++)
      await ask('POST', '/api/keys', there.key, { name: `key ${count}` })
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await ask('GET', `/api/keys?limit=2${cursor && `&cursor=${cursor}`}`, there.key)
      expect(page.json.items.length).toBeLessThanOrEqual(2)
      for (const { id, tenant } of page.json.items) {
        expect(tenant).toBe('there')
        seen.push(id)
      }
      cursor = page.json.next_cursor
    }
    expect(seen).toHaveLength(6)
    expect(seen).toEqual([...new Set(seen)].sort().reverse())
  })

  test('refuses a limit out of bounds, a foreign cursor and an unknown parameter', async () => {
    for (const query of ['limit=0', 'limit=501', 'limit=x', 'cursor=x', 'offset=1', 'limit=1&limit=2']) {
      const { status, json } = await ask('GET', `/api/keys?${query}`, adminKey)
      expect(status).toBe(400)
      expect(json.errors[0].pointer).toBe(`?${query.split('=')[0]}`)
    }
  })

  test('shows an admin every tenant, or the one asked for', async () => {
    const all = await ask('GET', '/api/keys?limit=500', adminKey)
    expect(new Set(all.json.items.map((item: { tenant: string }) => item.tenant))).toEqual(
      new Set(['default', 'there']),
    )
    const one = await ask('GET', '/api/keys?limit=500&tenant=there', adminKey)
    expect(one.json.items).toHaveLength(6)
    expect((await ask('GET', '/api/keys?tenant=there', here.key)).status).toBe(403)
  })
})

describe('D12: by its id', () => {
  test("another tenant's key is as one that does not exist", async () => {
    for (const id of [there.id, newId(), 'nonsense', '%00', "' or 1=1"]) {
      const path = `/api/keys/${encodeURIComponent(id)}`
      expect((await ask('GET', path, here.key)).json.detail).toBe('There is no such key')
      expect((await ask('DELETE', path, here.key)).status).toBe(404)
      expect((await ask('POST', `${path}/revoke`, here.key)).status).toBe(404)
    }
    expect(verdict(access, bearer(there.key))).toBe('ok')
  })

  test('a key that holds more is out of reach too', async () => {
    const boss = await plantKey(database.sql, { scopes: ['admin'] })
    expect((await ask('GET', `/api/keys/${boss.id}`, here.key)).status).toBe(404)
    expect((await ask('DELETE', `/api/keys/${boss.id}`, here.key)).status).toBe(404)
    expect((await ask('DELETE', `/api/keys/${boss.id}`, adminKey)).status).toBe(200)
  })

  test('revoking twice keeps the first time', async () => {
    const { json } = await ask('POST', '/api/keys', here.key)
    const first = await ask('POST', `/api/keys/${json.id}/revoke`, here.key)
    const second = await ask('DELETE', `/api/keys/${json.id}`, here.key)
    expect(second.json).toEqual(first.json)
  })
})

describe('tenants', () => {
  test('are made, listed and shown by admins only', async () => {
    expect((await ask('POST', '/api/tenants', adminKey, { id: 'there' })).status).toBe(409)
    expect((await ask('POST', '/api/tenants', adminKey, { id: 'No Good' })).json.errors[0].pointer).toBe(
      '/id',
    )
    expect((await ask('GET', '/api/tenants/there', adminKey)).json.name).toBe('Over there')
    expect((await ask('GET', '/api/tenants/none', adminKey)).status).toBe(404)
    const first = await ask('GET', '/api/tenants?limit=1', adminKey)
    expect(first.json).toMatchObject({ items: [{ id: 'default' }], next_cursor: 'default' })
    const second = await ask('GET', '/api/tenants?limit=1&cursor=default', adminKey)
    expect(second.json).toMatchObject({ items: [{ id: 'there' }], next_cursor: null })
    for (const [method, path] of [
      ['POST', ''],
      ['GET', ''],
      ['GET', '/there'],
    ]) {
      expect(
        (await ask(method ?? '', `/api/tenants${path}`, there.key, method === 'POST' ? {} : undefined))
          .status,
      ).toBe(403)
    }
  })
})

test('authorisation comes before validation', async () => {
  expect((await ask('POST', '/api/keys', null, '{')).status).toBe(401)
  expect((await ask('GET', '/api/keys?limit=x', 'sk-sluice-wrong')).status).toBe(401)
})

test('a key is created even if the database goes right after the commit', async () => {
  const failing: Access = { ...access, refresh: () => Promise.reject(new Error('gone')) }
  const request = new Request('http://localhost/api/keys', { method: 'POST', headers: bearer(adminKey) })
  expect((await appOf(failing).handle(request)).status).toBe(201)
})
