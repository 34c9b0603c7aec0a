import { afterAll, beforeAll, expect, test } from 'bun:test'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureAdminKey } from '#access'
import { openStore } from '#store'
import { type Gate, openGate } from '../support/gate.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { bearer, plantKey, temporaryFolder, testAccess, verdict } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
})

afterAll(async () => {
  await database.drop()
})

test('a key works on every gateway within a second of its making, and on none within a second of its revocation', async () => {
  const one = await testAccess(database.sql)
  const two = openStore(database.url, { max: 2 })
  const other = await testAccess(two.sql)
  try {
    const { id, key } = await plantKey(database.sql)
    await until(
      'both know the new key',
      () => [one, other].every((access) => verdict(access, bearer(key)) === 'ok'),
      1_000,
    )
    await database.sql`update access_keys set revoked_at = now() where id = ${id}`
    await until(
      'both know that it is revoked',
      () => [one, other].every((access) => verdict(access, bearer(key)) === 'key-revoked'),
      1_000,
    )
  } finally {
    await one.close()
    await other.close()
    await two.close()
  }
})

test('of concurrent changes none is missed', async () => {
  const access = await testAccess(database.sql)
  try {
    const planted = await Promise.all(Array.from({ length: 40 }, () => plantKey(database.sql)))
    await until(
      'all planted keys hold',
      () => planted.every(({ key }) => verdict(access, bearer(key)) === 'ok'),
      2_000,
    )
    await database.sql`delete from access_keys where id = any(${planted.map(({ id }) => id)}::uuid[])`
    await until(
      'none of them holds any more',
      () => planted.every(({ key }) => verdict(access, bearer(key)) === 'key-unknown'),
      2_500,
    )
  } finally {
    await access.close()
  }
})

test('a change is not missed though the listening session was just cut', async () => {
  const access = await testAccess(database.sql)
  try {
    const cut = await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'`
    expect(cut.length).toBeGreaterThan(0)
    const { key } = await plantKey(database.sql)
    await until('the key holds', () => verdict(access, bearer(key)) === 'ok', 2_000)
  } finally {
    await access.close()
  }
})

test('a key expires by itself', async () => {
  const access = await testAccess(database.sql)
  try {
    const soon = new Date(Date.now() + 150).toISOString()
    const { key } = await plantKey(database.sql, { expires_at: soon })
    await access.refresh()
    await until('the key has expired', () => verdict(access, bearer(key)) === 'key-expired', 1_000)
  } finally {
    await access.close()
  }
})

test('a gateway that lost the database goes on with what it knew, and catches up with what it missed', async () => {
  const { gate, store } = cuttable(database.url)
  const access = await testAccess(store.sql)
  try {
    const known = await plantKey(database.sql)
    await until('the key is known', () => verdict(access, bearer(known.key)) === 'ok')
    gate.shut()
    await until('it lives on its snapshot', () => access.state().source === 'snapshot')
    expect(verdict(access, bearer(known.key))).toBe('ok')
    const missed = await plantKey(database.sql)
    await database.sql`update access_keys set revoked_at = now() where id = ${known.id}`
    expect(verdict(access, bearer(missed.key))).toBe('key-unknown')
    gate.open()
    await until('it knows what it missed', () => verdict(access, bearer(missed.key)) === 'ok', 15_000)
    expect(verdict(access, bearer(known.key))).toBe('key-revoked')
    expect(access.state().source).toBe('database')
  } finally {
    await access.close()
    await store.close()
    gate.close()
  }
}, 30_000)

test('a gateway starts from its snapshot while the database is down, and hears of changes once it is back', async () => {
  const snapshotFile = join(await temporaryFolder(), 'nested', 'access.json')
  const admin = await ensureAdminKey(database.sql)
  const { id, key } = await plantKey(database.sql, { capture: 'metadata', tags: ['red'] })
  const before = await testAccess(database.sql, { snapshotFile, adminKey: undefined })
  await before.close()
  expect((await stat(snapshotFile)).mode & 0o777).toBe(0o600)
  const text = await Bun.file(snapshotFile).text()
  expect(text).not.toContain(key)
  expect(text).not.toContain(admin ?? 'sk-sluice-admin-')

  const { gate, store } = cuttable(database.url)
  gate.shut()
  const access = await testAccess(store.sql, { snapshotFile, adminKey: undefined })
  try {
    expect(access.state().source).toBe('snapshot')
    const { principal } = access.authenticate(bearer(key), null)
    expect(principal).toMatchObject({ keyId: id, tenant: 'default', capture: 'metadata', tags: ['red'] })
    expect(verdict(access, bearer(admin ?? ''))).toBe('ok')
    gate.open()
    await until('the database is its source', () => access.state().source === 'database', 15_000)
    await database.sql`update access_keys set revoked_at = now() where id = ${id}`
    await until('the revocation is known', () => verdict(access, bearer(key)) === 'key-revoked', 15_000)
  } finally {
    await access.close()
    await store.close()
    gate.close()
  }
}, 40_000)

test('with neither database nor snapshot a Sluice key is not called wrong: try again', async () => {
  const snapshotFile = join(await temporaryFolder(), 'access.json')
  await writeFile(snapshotFile, '{"v":1,"set":')
  const { gate, store } = cuttable(database.url)
  gate.shut()
  const access = await testAccess(store.sql, { snapshotFile })
  try {
    expect(access.state().source).toBe('none')
    expect(verdict(access, bearer('sk-sluice-anything'))).toBe('access-unavailable')
    expect(verdict(access, bearer('sk-ant-own'))).toBe('ok')
  } finally {
    await access.close()
    await store.close()
    gate.close()
  }
})

test('one admin key is made, however many processes start at once, and only its hash is kept', async () => {
  const fresh = await testDatabase()
  const access = await testAccess(fresh.sql, { adminKey: undefined, passThrough: false })
  try {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureAdminKey(fresh.sql)))
    const keys = made.filter((key) => key !== null)
    expect(keys).toHaveLength(1)
    expect(keys[0]).toMatch(/^sk-sluice-admin-[\w-]{43}$/)
    await until('the first key holds', () => verdict(access, bearer(keys[0] ?? '')) === 'ok', 1_000)
    const rows = await fresh.sql`select row_to_json(access_admin)::text as row from access_admin`
    expect(JSON.stringify(rows)).not.toContain(keys[0] ?? 'sk-')
  } finally {
    await access.close()
    await fresh.drop()
  }
})

test('ADMIN_KEY takes the place of the one that was made', async () => {
  const fresh = await testDatabase()
  const made = await ensureAdminKey(fresh.sql)
  const access = await testAccess(fresh.sql, { adminKey: 'chosen-by-the-operator' })
  try {
    expect(verdict(access, bearer('chosen-by-the-operator'))).toBe('ok')
    expect(verdict(access, bearer(made ?? ''))).toBe('key-unknown')
  } finally {
    await access.close()
    await fresh.drop()
  }
})

test('last use is written without a word to other gateways', async () => {
  const access = await testAccess(database.sql)
  const { id, key } = await plantKey(database.sql)
  await access.refresh()
  const revision = async () => (await database.sql`select revision from access_revision`)[0]?.revision
  const before = await revision()
  const started = Date.now()
  access.authenticate(bearer(key), null)
  await access.close()
  const [row] = await database.sql`select last_used_at from access_keys where id = ${id}`
  expect(row?.last_used_at.getTime()).toBeGreaterThanOrEqual(started)
  expect(await revision()).toBe(before)
})

test('authenticating takes less than 5 µs', async () => {
  const access = await testAccess(database.sql)
  const { key } = await plantKey(database.sql)
  await access.refresh()
  const headers = new Headers({ 'content-type': 'application/json', 'x-api-key': key, 'user-agent': 'test' })
  const rounds = 20_000
  let best = Number.POSITIVE_INFINITY
  // The best of five: the machine is shared, and the question is what it costs, not how busy the others are.
  for (let run = 0; run < 5; run++) {
    const started = Bun.nanoseconds()
    for (let round = 0; round < rounds; round++) access.authenticate(headers, null)
    best = Math.min(best, (Bun.nanoseconds() - started) / rounds)
  }
  await access.close()
  expect(best).toBeLessThan(5_000)
})

/** A pool behind a stretch of network that can be cut. */
function cuttable(url: string): { gate: Gate; store: ReturnType<typeof openStore> } {
  const target = new URL(url)
  const gate = openGate(Number(target.port))
  target.hostname = '127.0.0.1'
  target.port = String(gate.port)
  return { gate, store: openStore(target.href, { max: 2 }) }
}
