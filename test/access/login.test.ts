import { afterAll, beforeAll, expect, setSystemTime, test } from 'bun:test'
import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { accessRoutes } from '#routes/access'
import { makeKey } from '../../src/access/key.ts'
import { ask, testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { adminKey, bearer, plantKey, testAccess } from './support.ts'

const own = { 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' }
const secret = 'a secret of the tests, for sessions'

let database: TestDatabase
let access: Access
let app: AnyElysia

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql, { secret })
  app = testApp(access, { routes: [accessRoutes({ sql: database.sql, access })] })
})

afterAll(async () => {
  await access.close()
  await database.drop()
})

async function login(key: string, headers: Record<string, string> = own) {
  const answer = await ask(app, '/api/login', { method: 'POST', headers, body: JSON.stringify({ key }) })
  const set = answer.headers.get('set-cookie') ?? ''
  return { ...answer, set, cookie: set.split(';')[0] ?? '' }
}

test('Q8: a key becomes a cookie that no script can read and no other site can send', async () => {
  const { status, json, set, text } = await login(adminKey)
  expect([status, json.signed_in, json.tenant]).toEqual([200, true, 'default'])
  expect(set).toMatch(/^sluice_session=v2\.\S+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=1800$/)
  expect(set + text).not.toContain(adminKey)
  const forwarded = await login(adminKey, { ...own, 'x-forwarded-proto': 'https' })
  expect(forwarded.set).toEndWith('; Secure')
})

test('what is not a key of ours, or no more, begins no session', async () => {
  const revoked = await plantKey(database.sql, { scopes: ['read'] })
  await database.sql`update access_keys set revoked_at = now() where id = ${revoked.id}`
  await access.refresh()
  for (const key of ['sk-ant-somebody', makeKey().key, revoked.key]) {
    const { status, set } = await login(key)
    expect([status, set]).toEqual([401, ''])
  }
})

test('Q8: a session reads, and goes on for as long as it is asked about', async () => {
  const { cookie } = await login(adminKey)
  expect((await ask(app, '/api/keys', { headers: { cookie } })).status).toBe(200)
  const me = await ask(app, '/api/me', { headers: { cookie } })
  expect(me.json).toMatchObject({ signed_in: true, scopes: expect.arrayContaining(['operator', 'admin']) })
  expect(me.headers.get('set-cookie')).toStartWith('sluice_session=v2.')
  expect((await ask(app, '/api/me')).json).toMatchObject({ signed_in: false, scopes: [] })
})

test('Q8: a session ends after 30 minutes without use, and after 12 hours in any case', async () => {
  const begun = Date.now()
  const after = async (minutes: number, cookie: string) => {
    setSystemTime(new Date(begun + minutes * 60_000))
    const { json, headers } = await ask(app, '/api/me', { headers: { cookie } })
    return { signedIn: json.signed_in, cookie: headers.get('set-cookie')?.split(';')[0] ?? '' }
  }
  try {
    let { cookie } = await login(adminKey)
    expect((await after(29, cookie)).signedIn).toBe(true)
    expect((await after(31, cookie)).signedIn).toBe(false)
    for (let minutes = 25; minutes < 12 * 60; minutes += 25) {
      const me = await after(minutes, cookie)
      expect([minutes, me.signedIn]).toEqual([minutes, true])
      cookie = me.cookie
    }
    expect((await after(12 * 60 + 1, cookie)).signedIn).toBe(false)
  } finally {
    setSystemTime()
  }
})

test('Q8: a session changes something only for a page of ours', async () => {
  const { cookie } = await login(adminKey)
  const create = (headers: Record<string, string>) =>
    ask(app, '/api/tenants', { method: 'POST', headers: { cookie, ...headers }, body: '{"id":"made"}' })
  for (const headers of [
    {},
    { 'sluice-csrf': '1' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'cross-site', 'sluice-csrf': '1' },
    { 'sec-fetch-site': 'same-site', 'sluice-csrf': '1' },
    { origin: 'http://evil.example', host: 'localhost', 'sluice-csrf': '1' },
  ] as Record<string, string>[]) {
    const { status, json } = await create(headers)
    expect([headers, status, json.type]).toEqual([headers, 403, 'urn:sluice:problem:cross-site'])
  }
  expect((await create({ origin: 'http://localhost', host: 'localhost', 'sluice-csrf': '1' })).status).toBe(
    201,
  )
  const reading = await ask(app, '/api/keys', { headers: { cookie, 'sec-fetch-site': 'cross-site' } })
  expect(reading.status).toBe(403)
  expect((await login(adminKey, { 'sec-fetch-site': 'cross-site', 'sluice-csrf': '1' })).status).toBe(403)
})

test('Q8: a session may do what its key may, and ends with it', async () => {
  const reader = await plantKey(database.sql, { scopes: ['read'] })
  await access.refresh()
  const { cookie } = await login(reader.key)
  expect((await ask(app, '/api/audit', { headers: { cookie } })).status).toBe(403)
  await database.sql`update access_keys set revoked_at = now() where id = ${reader.id}`
  await access.refresh()
  expect((await ask(app, '/api/audit', { headers: { cookie } })).status).toBe(401)
  expect((await ask(app, '/api/me', { headers: { cookie } })).json.signed_in).toBe(false)
})

test('a cookie that was changed, or signed with another secret or for another admin key, is none', async () => {
  const { cookie } = await login(adminKey)
  const [name, body, mac] = cookie.split('.')
  const forged = Buffer.from(JSON.stringify(['x', 'admin', Date.now(), Date.now() + 1e9])).toString(
    'base64url',
  )
  const others = await Promise.all([
    testAccess(database.sql, { secret: `${secret}!` }),
    testAccess(database.sql, { secret, adminKey: 'another-admin-key-of-tests' }),
  ])
  for (const bad of [`${name}.${forged}.${mac}`, `${name}.${body}`, 'sluice_session=', `${cookie}x`]) {
    expect((await ask(app, '/api/keys', { headers: { cookie: bad } })).status).toBe(401)
  }
  for (const other of others) {
    const elsewhere = testApp(other, { routes: [accessRoutes({ sql: database.sql, access: other })] })
    expect((await ask(elsewhere, '/api/keys', { headers: { cookie } })).status).toBe(401)
    await other.close()
  }
  const same = await testAccess(database.sql, { secret })
  const twin = testApp(same, { routes: [accessRoutes({ sql: database.sql, access: same })] })
  expect((await ask(twin, '/api/keys', { headers: { cookie } })).status).toBe(200)
  await same.close()
})

test('logging out takes the cookie away, and who came and went is on record', async () => {
  const operator = await plantKey(database.sql, { scopes: ['operator'], name: 'night shift' })
  await access.refresh()
  const { cookie } = await login(operator.key)
  const out = await ask(app, '/api/logout', { method: 'POST', headers: { cookie, ...own } })
  expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
  const query = `subject=key:${operator.id}&limit=1`
  const first = await ask(app, `/api/audit?${query}`, { headers: bearer(operator.key) })
  expect(first.json.items).toMatchObject([
    { action: 'logout', key_id: operator.id, key_name: 'night shift', via: 'page', outcome: 'done' },
  ])
  const next = `/api/audit?${query}&cursor=${first.json.next_cursor}`
  expect((await ask(app, next, { headers: bearer(operator.key) })).json.items).toMatchObject([
    { action: 'login' },
  ])
})

test('an operator sees what was done in its own tenant, an admin everything', async () => {
  await database.sql`insert into tenants (id, name) values ('apart', 'Apart')`
  const theirs = await plantKey(database.sql, { tenant: 'apart', scopes: ['operator'] })
  await access.refresh()
  await login(theirs.key)
  const seen = async (key: string) => {
    const { json } = await ask(app, '/api/audit?action=login&limit=500', { headers: bearer(key) })
    return new Set((json.items as { tenant: string }[]).map(({ tenant }) => tenant))
  }
  expect(await seen(theirs.key)).toEqual(new Set(['apart']))
  expect(await seen(adminKey)).toEqual(new Set(['apart', 'default']))
})
