import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openAudit } from '#access'
import { accessRoutes } from '#routes/access'
import { openStore } from '#store'
import { ask, testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { adminKey, bearer, testAccess } from './support.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const principal = {
  ...{ tenant: 'default', keyId: null, scopes: new Set(['operator'] as const) },
  ...{ capture: 'full' as const, tags: [] },
}
const asked = (subject: string) => ({
  ...{ request: new Request('http://localhost'), principal, action: 'tenant.create', subject },
})

async function written(subject: string) {
  const rows = await database.sql<{ outcome: string }[]>`
    select outcome from audit_log where subject = ${subject} order by id`
  return rows.map(({ outcome }) => outcome)
}

async function made(id: string) {
  return (await database.sql`select from tenants where id = ${id}`).length === 1
}

test('a change and its row are one: none is there without the other', async () => {
  const { sql } = database
  const audit = openAudit({ sql })
  const insert = (id: string, then: () => void = () => {}) =>
    audit.change(asked(id), async (tx) => {
      await tx`insert into tenants (id, name) values (${id}, ${id})`
      then()
      return id
    })
  expect(await insert('kept')).toBe('kept')
  expect([await made('kept'), await written('kept')]).toEqual([true, ['done']])

  const broken = insert('undone', () => {
    throw new Error('a reason')
  })
  await expect(broken).rejects.toThrow('a reason')
  expect([await made('undone'), await written('undone')]).toEqual([false, ['a reason']])

  await sql`alter table audit_log rename to audit_log_away`
  await expect(insert('unwritten')).rejects.toThrow('audit_log')
  await sql`alter table audit_log_away rename to audit_log`
  expect(await made('unwritten')).toBe(false)
})

test('what a transaction of somebody else’s does is written down in it', async () => {
  const { sql } = database
  const audit = openAudit({ sql })
  const undone = sql.begin(async (tx) => {
    await audit.within(tx, asked('within'))
    throw new Error('rolled back')
  })
  await expect(undone).rejects.toThrow('rolled back')
  expect(await written('within')).toEqual([])
  await sql.begin((tx) => audit.within(tx, asked('within')))
  expect(await written('within')).toEqual(['done'])
})

test('who reads what takes too long is told so, and no connection is lost to it', async () => {
  const { sql, url } = database
  const access = await testAccess(sql)
  const bounded = new URL(url)
  bounded.searchParams.set('statement_timeout', '1000')
  const reads = openStore(bounded.href, { max: 1 })
  const app = testApp(access, { routes: [accessRoutes({ sql, reads: reads.sql, access })] })
  const read = () => ask(app, '/api/audit', { headers: bearer(adminKey) })
  await sql.begin(async (tx) => {
    await tx`lock table audit_log in access exclusive mode`
    const { status, json } = await read()
    expect([status, json.type]).toEqual([503, 'urn:sluice:problem:too-slow'])
  })
  expect((await read()).status).toBe(200)
  await reads.close()
  await access.close()
})
