import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Principal, Scope } from '#access'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { type Api, apiOf, rowsOf } from './support.ts'

setDefaultTimeout(30_000)
let database: TestDatabase
let api: Api

beforeAll(async () => {
  database = await testDatabase()
  await database.sql`insert into tenants (id, name) values ('there', 'There')`
  api = await apiOf(database)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

function principal(tenant: string, keyId: string | null, scopes: Scope[] = ['call']): Principal {
  return { tenant, keyId, scopes: new Set(scopes), capture: 'full', tags: [] }
}

test('a portal is made, shown, replaced and removed', async () => {
  const made = await api.call('PUT', '/api/mcp/portals/readers', { servers: ['github'], read_only: true })
  expect([made.status, made.json]).toEqual([
    201,
    expect.objectContaining({
      name: 'readers',
      url_path: '/mcp/readers',
      namespace: true,
      max_name_length: 50,
    }),
  ])
  expect(api.servers.portal('default', 'readers')?.selects('github', 'x')).toBe(true)
  expect(api.servers.portal('default', 'readers')?.selects('other', 'x')).toBe(false)
  expect(api.servers.portal('there', 'readers')).toBeNull()
  expect((await api.call('PUT', '/api/mcp/portals/readers', { enabled: false })).status).toBe(200)
  expect(api.servers.portal('default', 'readers')).toBeNull()
  expect((await api.call('GET', '/api/mcp/portals')).json.items).toHaveLength(1)
  for (const name of ['ws', 's', 'A', '-x'])
    expect((await api.call('PUT', `/api/mcp/portals/${name}`, {})).status).toBe(422)
  expect((await api.call('PUT', '/api/mcp/portals/x?tenant=nowhere', {})).status).toBe(422)
  expect((await api.call('DELETE', '/api/mcp/portals/readers')).status).toBe(204)
  expect((await api.call('GET', '/api/mcp/portals/readers')).status).toBe(404)
})

test('lists without a credential are for portals that allow it, and for nobody else', async () => {
  await api.call('PUT', '/api/mcp/portals/public?tenant=there', { anonymous_listing: true })
  await api.call('PUT', '/api/mcp/portals/closed', {})
  const guest = api.servers.anonymous('public')
  expect([guest?.tenant, guest?.scopes.size, guest?.keyId]).toEqual(['there', 0, null])
  expect(api.servers.anonymous('closed')).toBeNull()
  expect(api.servers.anonymous(null)).toBeNull()
})

test('a secret address is shown once, kept hashed, and worth nothing once revoked or expired', async () => {
  const made = await api.call('POST', '/api/mcp/urls', { name: 'phone', portal: 'readers', tags: ['phone'] })
  expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
  const secret = made.json.url_path.replace('/mcp/s/', '')
  expect(secret.length).toBeGreaterThan(40)
  const found = api.servers.resolveSecret(secret)
  expect(found).toMatchObject({
    portal: 'readers',
    principal: { tenant: 'default', keyId: null, tags: ['phone'] },
  })
  expect([...(found?.principal.scopes ?? [])]).toEqual(['call'])
  expect(api.servers.resolveSecret(`${secret.slice(0, -1)}x`)).toBeNull()
  const listed = await api.call('GET', '/api/mcp/urls')
  expect(listed.text).not.toContain(secret)
  expect(listed.json.items[0].last4).toBe(secret.slice(-4))
  expect(JSON.stringify(await database.sql`select * from mcp_urls`)).not.toContain(secret)

  const other = await rowsOf(database)
  expect(other.resolveSecret(secret)?.portal).toBe('readers')
  const revoked = await api.call('DELETE', `/api/mcp/urls/${made.json.id}`)
  expect([revoked.status, revoked.json.revoked_at === null]).toEqual([200, false])
  expect(api.servers.resolveSecret(secret)).toBeNull()
  await until('the other gateway knows', () => other.resolveSecret(secret) === null, { ms: 1_000 })
  await other.close()

  const soon = new Date(Date.now() + 300).toISOString()
  const short = (await api.call('POST', '/api/mcp/urls', { expires_at: soon })).json.url_path.slice(7)
  await until('it expires', () => api.servers.resolveSecret(short) === null, { ms: 2_000 })
  expect((await api.call('POST', '/api/mcp/urls', { scopes: ['admin'] })).status).toBe(422)
  expect((await api.call('POST', '/api/mcp/urls', { tenant: 'nowhere' })).status).toBe(422)
})

test('a rule of a tenant and one of a key both hold; admins are above them', async () => {
  const key = crypto.randomUUID()
  const put = async (body: object) => (await api.call('PUT', '/api/mcp/visibility', body)).json
  const tenants = await put({ see: { deny: ['*/drop*'] } })
  await put({ key_id: key, see: { allow: ['github'] }, call: { deny: ['github/set'] } })
  const sight = api.servers.sight(principal('default', key))
  expect(['get', 'drop_all', 'set'].map((name) => sight.sees('github', name))).toEqual([true, false, true])
  expect(['get', 'set'].map((name) => sight.mayCall('github', name))).toEqual([true, false])
  expect(sight.sees('other', 'get')).toBe(false)
  const others = api.servers.sight(principal('default', crypto.randomUUID()))
  expect([others.sees('other', 'get'), others.sees('other', 'drop')]).toEqual([true, false])
  expect(api.servers.sight(principal('there', null)).sees('other', 'drop')).toBe(true)
  expect(api.servers.sight(principal('default', null, ['admin'])).mayCall('other', 'drop')).toBe(true)
  expect((await api.call('GET', '/api/mcp/visibility')).json.items).toHaveLength(2)
  await put({ see: {} })
  expect(api.servers.sight(principal('default', null)).sees('other', 'drop')).toBe(true)
  expect((await api.call('DELETE', `/api/mcp/visibility/${tenants.id}`)).status).toBe(204)
  expect((await api.call('DELETE', `/api/mcp/visibility/${tenants.id}`)).status).toBe(404)
})
