import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Access } from '#access'
import { knownHosts } from '#lib/known-hosts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { adminKey, bearer, plantKey, testAccess, verdict } from './support.ts'

let database: TestDatabase
let open: Access
let closed: Access
let plain: { id: string; key: string }
let reader: { id: string; key: string }

beforeAll(async () => {
  database = await testDatabase()
  plain = await plantKey(database.sql, { tags: ['blue'], capture: 'metadata' })
  reader = await plantKey(database.sql, { scopes: ['read'] })
  open = await testAccess(database.sql)
  closed = await testAccess(database.sql, { passThrough: false })
})

afterAll(async () => {
  await open.close()
  await closed.close()
  await database.drop()
})

describe('a Sluice key', () => {
  test('is taken from every place where a dialect puts its credential', () => {
    const places: [Record<string, string>, string | null][] = [
      [{ 'sluice-key': plain.key }, null],
      [{ 'x-api-key': plain.key }, null],
      [{ authorization: `Bearer ${plain.key}` }, null],
      [{ authorization: `bearer  ${plain.key}` }, null],
      [{ 'x-goog-api-key': plain.key }, null],
      [{ 'api-key': plain.key }, null],
      [
        {
          'sec-websocket-protocol': `realtime, openai-insecure-api-key.${plain.key}, openai-beta.realtime-v1`,
        },
        null,
      ],
      [{}, `key=${plain.key}`],
    ]
    for (const [headers, query] of places) {
      const caller = closed.authenticate(
        new Headers(headers),
        query === null ? null : new URLSearchParams(query),
      )
      expect(caller.principal.keyId).toBe(plain.id)
      expect(caller.passThrough).toBe(false)
    }
  })

  test('gives its tenant, capture mode, tags and scopes', () => {
    const { principal } = closed.authenticate(bearer(plain.key), null)
    expect(principal).toEqual({
      tenant: 'default',
      keyId: plain.id,
      scopes: new Set(['call']),
      capture: 'metadata',
      tags: ['blue'],
    })
  })

  test("in `sluice-key` lets the client's own credential through, in the key's name", () => {
    for (const access of [open, closed]) {
      const headers = new Headers({ 'sluice-key': plain.key, authorization: 'Bearer sk-ant-oat-own' })
      const caller = access.authenticate(headers, null)
      expect(caller.principal.keyId).toBe(plain.id)
      expect(caller.passThrough).toBe(true)
    }
  })

  test("is replaced, as is every other credential, where it stands in the provider's place", () => {
    const headers = new Headers({ 'x-api-key': plain.key, authorization: 'Bearer something-else' })
    expect(open.authenticate(headers, null).passThrough).toBe(false)
    const twice = new Headers({ 'sluice-key': plain.key, 'x-api-key': plain.key })
    expect(open.authenticate(twice, null).passThrough).toBe(false)
  })

  test('without the scope `call` makes no proxied call', () => {
    expect(verdict(open, bearer(reader.key))).toBe('forbidden')
  })

  test('that does not exist is refused even where pass-through is on, and never goes upstream', () => {
    expect(verdict(open, bearer('sk-sluice-of-somebody-else'))).toBe('key-unknown')
    expect(verdict(open, new Headers({ 'sluice-key': 'sk-ant-a-provider-key' }))).toBe('key-unknown')
  })

  test('that has expired says so, and what to do, without showing the key', async () => {
    const past = new Date(Date.now() - 1_000).toISOString()
    const { key } = await plantKey(database.sql, { expires_at: past })
    await open.refresh()
    expect(verdict(open, bearer(key))).toBe('key-expired')
    expect(() => open.authenticate(bearer(key), null)).toThrow(/expired at .*: ask for a new one/)
    expect(() => open.authenticate(bearer(key), null)).not.toThrow(key)
  })
})

describe('a key of a process of ours', () => {
  test('is for whom the call is made, where that is a key of the tenant; no other key may name one', async () => {
    await database.sql`insert into tenants (id, name) values ('elsewhere', 'Elsewhere')`
    const own = { acts_for_others: true, scopes: ['call', 'read'], capture: 'full' as const }
    const acting = await plantKey(database.sql, { ...own, tags: ['jobs'] })
    const stranger = await plantKey(database.sql, { tenant: 'elsewhere' })
    const over = await plantKey(database.sql, { expires_at: new Date(Date.now() - 1_000).toISOString() })
    await open.refresh()
    const named = (key: string, id: string) => {
      const headers = bearer(key)
      headers.set('sluice-acts-for', id)
      return headers
    }
    const { principal } = open.authenticate(named(acting.key, plain.id), null)
    expect(principal).toMatchObject({ keyId: plain.id, capture: 'full', tags: ['jobs', 'blue'] })
    const request = new Request('http://x/api', { headers: named(acting.key, plain.id) })
    expect(open.authorise(request, 'read').keyId).toBe(plain.id)
    expect(open.authenticate(bearer(acting.key), null).principal.keyId).toBe(acting.id)
    expect(open.authenticate(named(acting.key, over.id), null).principal.keyId).toBe(over.id)
    expect(verdict(open, named(acting.key, stranger.id))).toBe('key-unknown')
    expect(verdict(open, named(acting.key, 'nobody'))).toBe('key-unknown')
    expect(open.authenticate(named(plain.key, reader.id), null).principal.keyId).toBe(plain.id)
  })
})

describe('the admin key', () => {
  test('may do everything, client calls included', () => {
    const { principal, passThrough } = closed.authenticate(bearer(adminKey), null)
    expect(passThrough).toBe(false)
    expect(principal.keyId).toBeNull()
    for (const scope of ['call', 'read', 'replay', 'keys', 'admin'] as const) {
      const request = new Request('http://localhost/api/keys', { headers: bearer(adminKey) })
      expect(closed.authorise(request, scope).tenant).toBe('default')
    }
  })
})

describe('pass-through', () => {
  test('takes a provider credential, or none, where the operator allows it', () => {
    for (const headers of [
      new Headers(),
      bearer('sk-ant-api03-own'),
      new Headers({ 'x-goog-api-key': 'AIza' }),
    ]) {
      const caller = open.authenticate(headers, null)
      expect(caller.passThrough).toBe(true)
      expect(caller.principal.keyId).toBeNull()
      expect(caller.principal.tenant).toBe('default')
    }
  })

  test('is refused where it is off', () => {
    expect(verdict(closed, new Headers())).toBe('unauthenticated')
    expect(verdict(closed, bearer('sk-ant-api03-own'))).toBe('unauthenticated')
    expect(() => closed.authenticate(bearer('sk-ant-api03-own'), null)).toThrow(/not a Sluice key/)
  })
})

describe('our own routes', () => {
  test('take no provider credential and no guest, even on loopback', () => {
    for (const headers of [new Headers(), bearer('sk-ant-api03-own')]) {
      const request = new Request('http://localhost/api/keys', { headers })
      expect(() => open.authorise(request, 'call')).toThrow(/Sluice key/)
    }
  })

  test('take a key from the query for an EventSource, and leave a filter of that name alone', () => {
    const request = new Request(`http://localhost/api/tail?key=${reader.key}`)
    expect(open.authorise(request, 'read').keyId).toBe(reader.id)
    const filtered = new Request(`http://localhost/api/exchanges?key=${plain.id}`, {
      headers: bearer(reader.key),
    })
    expect(open.authorise(filtered, 'read').keyId).toBe(reader.id)
  })

  test('say which scope is missing', () => {
    const request = new Request('http://localhost/api/keys', { headers: bearer(reader.key) })
    expect(() => open.authorise(request, 'keys')).toThrow('This needs the scope keys: the key has read')
  })
})

test('a page of another site is no guest: it needs a credential of its own', () => {
  const of = (headers: Record<string, string>) => verdict(open, new Headers(headers))
  const own = { host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' }
  for (const page of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { host: '127.0.0.1:8080', origin: 'https://elsewhere.example' },
    { host: '127.0.0.1:8080', origin: 'null' },
  ] as Record<string, string>[]) {
    expect([page, of(page)]).toEqual([page, 'cross-site'])
    for (const key of [plain.key, 'sk-ant-own']) expect(of({ ...page, 'x-api-key': key })).toBe('ok')
  }
  for (const page of [{}, { 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }, own]) {
    expect(of(page as Record<string, string>)).toBe('ok')
  }
})

test('who calls by a name that is none of the gateway’s is no guest: a page may have made it lead here', async () => {
  const knowsHost = knownHosts({ host: '127.0.0.1', hosts: ['sluice.lan'] })
  const local = await testAccess(database.sql, { knowsHost })
  const of = (host: string, more = {}) => verdict(local, new Headers({ host, ...more }))
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST', 'sluice.lan:8080'])
    expect([host, of(host)]).toEqual([host, 'ok'])
  for (const host of ['rebound.example:8080', '127.0.0.1.rebound.example', 'localhost.rebound.example:80']) {
    expect([host, of(host)]).toEqual([host, 'host-not-allowed'])
    expect(of(host, { origin: `http://${host}` })).toBe('host-not-allowed')
    for (const key of [plain.key, 'sk-ant-own']) expect(of(host, { 'x-api-key': key })).toBe('ok')
  }
  await local.close()
})
