import { afterAll, beforeAll, expect, test } from 'bun:test'
import { openAudit } from '#access'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

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
