import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import { type Access, accessUpkeep } from '#access'
import { accessRoutes } from '#routes/access'
import { ask, testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { adminKey, plantKey, temporaryFolder, testAccess } from './support.ts'

const own = { 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' }
const secret = 'a secret of the tests, for sessions'

type Gateway = { access: Access; app: AnyElysia }
let database: TestDatabase
let here: Gateway
let there: Gateway

async function gateway(snapshotFile?: string, sql = database.sql, address = '192.0.2.1'): Promise<Gateway> {
  // Short only where there is nothing to wait for.
  const patienceMs = sql === database.sql ? 30_000 : 100
  const options = snapshotFile === undefined ? {} : { snapshotFile, patienceMs }
  const access = await testAccess(sql, { secret, ...options })
  const addressOf = () => address
  return { access, app: testApp(access, { routes: [accessRoutes({ sql, access, addressOf })] }) }
}

beforeAll(async () => {
  database = await testDatabase()
  here = await gateway()
  there = await gateway()
})
afterAll(async () => {
  await here.access.close()
  await there.access.close()
  await database.drop()
})

const cookieOf = ({ headers }: { headers: Headers }) => headers.get('set-cookie')?.split(';')[0] ?? ''
const login = ({ app }: Gateway, key = adminKey) =>
  ask(app, '/api/login', { method: 'POST', headers: own, body: JSON.stringify({ key }) })
const logout = ({ app }: Gateway, cookie: string) =>
  ask(app, '/api/logout', { method: 'POST', headers: { cookie, ...own } })
const reads = async ({ app }: Gateway, cookie: string) =>
  (await ask(app, '/api/keys', { headers: { cookie } })).status

test('Q8: a session that was left is worth nothing on any gateway, nor are the cookies that came before', async () => {
  const first = cookieOf(await login(here))
  const renewed = cookieOf(await ask(there.app, '/api/me', { headers: { cookie: first } }))
  const another = cookieOf(await login(here))
  expect(renewed).not.toBe(first)
  expect((await logout(here, renewed)).status).toBe(204)
  for (const cookie of [first, renewed]) {
    expect(await reads(here, cookie)).toBe(401)
    await until('the other gateway knows', async () => (await reads(there, cookie)) === 401)
    expect((await ask(there.app, '/api/me', { headers: { cookie } })).json.signed_in).toBe(false)
  }
  expect([await reads(here, another), await reads(there, another)]).toEqual([200, 200])
})

test('a gateway that starts without the database knows who left', async () => {
  const snapshotFile = join(await temporaryFolder(), 'access.json')
  const before = await gateway(snapshotFile)
  const cookie = cookieOf(await login(before))
  const another = cookieOf(await login(before))
  await logout(before, cookie)
  await before.access.close()
  const gone = await testDatabase()
  await gone.drop()
  const after = await gateway(snapshotFile, gone.sql)
  expect(after.access.state().source).toBe('snapshot')
  const me = async (value: string) => (await ask(after.app, '/api/me', { headers: { cookie: value } })).json
  expect([(await me(cookie)).signed_in, (await me(another)).signed_in]).toEqual([false, true])
  const left = await logout(after, another)
  expect([left.status, left.json.type, left.headers.get('set-cookie')]).toEqual([
    503,
    'urn:sluice:problem:half-ended',
    expect.stringContaining('Max-Age=0'),
  ])
  expect((await me(another)).signed_in).toBe(false)
  await after.access.close()
})

test('what was left long ago, and the audit past its days, are cleared away', async () => {
  const { sql } = database
  await sql`insert into access_ended_sessions (id, until) values ('old', now() - interval '1 minute')`
  const [{ n: before }] = await sql<[{ n: number }]>`select count(*)::int as n from audit_log`
  await sql`
    insert into audit_log (id, at, tenant, via, action, subject, outcome)
    select ('0190' || lpad(to_hex(n), 4, '0') || '-0000-7000-8000-000000000000')::uuid, '2024-06-10', 'default', 'key',
      'old', 'x', 'done' from generate_series(1, 4500) n`
  expect(await accessUpkeep(sql)).toBe(0)
  expect(await accessUpkeep(sql, { auditDays: 30 })).toBe(4_500)
  const [{ n: after }] = await sql<[{ n: number }]>`select count(*)::int as n from audit_log`
  expect([after, before > 0]).toEqual([before, true])
  expect([...(await sql`select id from access_ended_sessions where id = 'old'`)]).toEqual([])
})

test('who guesses keys is refused for a while, from there alone', async () => {
  const guesser = await gateway(undefined, database.sql, '2001:db8:1:2::77')
  for (let n = 0; n < 20; n += 1) expect((await login(guesser, `sk-ant-guess-${n}`)).status).toBe(401)
  const late = await login(guesser)
  expect([late.status, late.json.type]).toEqual([429, 'urn:sluice:problem:too-many-logins'])
  expect(Number(late.headers.get('retry-after'))).toBeWithin(1, 61)
  expect((await login(here)).status).toBe(200)
  await guesser.access.close()
})

test('keys and tenants are made and revoked on record, and what did not work is, too', async () => {
  const { sql } = database
  const keys = await plantKey(sql, { scopes: ['keys', 'call'] })
  await here.access.refresh()
  const send = (path: string, key: string, body?: unknown) =>
    ask(here.app, path, {
      method: body === undefined ? 'DELETE' : 'POST',
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const made = await send('/api/keys', keys.key, { name: 'made' })
  await send(`/api/keys/${made.json.id}`, keys.key)
  await send('/api/tenants', adminKey, { id: 'twice' })
  expect((await send('/api/tenants', adminKey, { id: 'twice' })).status).toBe(409)
  const rows = await sql`
    select action, key_id, outcome from audit_log
    where subject in (${`key:${made.json.id}`}, 'tenant:twice') order by id`
  expect([...rows]).toMatchObject([
    { action: 'key.create', key_id: keys.id, outcome: 'done' },
    { action: 'key.revoke', key_id: keys.id, outcome: 'done' },
    { action: 'tenant.create', key_id: null, outcome: 'done' },
    { action: 'tenant.create', key_id: null, outcome: 'There is a tenant twice already' },
  ])
  expect(JSON.stringify(await sql`select * from audit_log`)).not.toContain(made.json.key)
})
