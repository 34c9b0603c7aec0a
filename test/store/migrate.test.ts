import { afterAll, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { checkSchema, migrate } from '#store'
import { refusal, temporaryFolder } from '../support/folder.ts'
import { emptyDatabase, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase

beforeEach(async () => {
  await database?.drop()
  database = await emptyDatabase()
}, 30_000)

afterAll(async () => await database.drop())

function migrations(files: Record<string, string>): URL {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return pathToFileURL(`${folder}/`)
}

const one = '-- owner: test\ncreate table one (n int);\ninsert into one values (1);\n'
const two = '-- owner: test\nalter table one add m int;\n'

test('the real ones run on an empty database, and again without effect', async () => {
  const version = await migrate(database.url)
  expect(await migrate(database.url)).toBe(version)
  await checkSchema(database.sql)
})

test('many processes that start at once run each migration once', async () => {
  const folder = migrations({ '001-one.sql': one, '002-two.sql': two })
  const versions = await Promise.all(Array.from({ length: 6 }, () => migrate(database.url, folder)))
  expect(versions).toEqual([2, 2, 2, 2, 2, 2])
  expect([...(await database.sql`select n from one`)]).toEqual([{ n: 1 }])
})

test('a migration that fails leaves nothing of itself, and all before it', async () => {
  const folder = migrations({
    '001-one.sql': one,
    '007-bad.sql': '-- owner: test\ncreate table half ();\nselect 1/0;\n',
  })
  await expect(migrate(database.url, folder)).rejects.toThrow('Migration 007-bad: division by zero')
  await migrate(database.url, folder).catch(() => {})
  const [seen] = await database.sql`select to_regclass('one') as one, to_regclass('half') as half`
  expect(seen).toEqual({ one: 'one', half: null })
})

test('a number lower than the newest still runs: each domain has a range of its own', async () => {
  await migrate(database.url, migrations({ '002-late.sql': '-- owner: test\ncreate table late ();' }))
  expect(
    await migrate(
      database.url,
      migrations({ '001-one.sql': one, '002-late.sql': '-- owner: test\ncreate table late ();' }),
    ),
  ).toBe(2)
  expect([...(await database.sql`select n from one`)]).toEqual([{ n: 1 }])
})

test('a process refuses a database that is newer, or not migrated', async () => {
  expect(await refusal(checkSchema(database.sql))).toContain('bun run migrate')
  await migrate(database.url)
  await database.sql`insert into sluice_migrations (number, name, checksum) values (999, '999-future', '')`
  expect(await refusal(checkSchema(database.sql))).toContain('999-future')
  expect(await refusal(migrate(database.url))).toContain('999-future')
})

test('a migration that was changed after it ran is refused', async () => {
  await migrate(database.url, migrations({ '001-one.sql': one }))
  const changed = migrations({ '001-one.sql': `${one}-- a word\n` })
  expect(await refusal(migrate(database.url, changed))).toContain('001-one has changed')
})

test.each([
  ['one.sql', one, 'its name must look like'],
  ['001-one.sql', 'create table one ();', 'its first line must be'],
])('a misnamed or ownerless migration is refused: %s', async (name, text, words) => {
  await expect(migrate(database.url, migrations({ [name]: text }))).rejects.toThrow(words)
})

test('two migrations with one number are refused', async () => {
  await expect(migrate(database.url, migrations({ '001-a.sql': one, '001-b.sql': two }))).rejects.toThrow(
    'number 1',
  )
})

test('a database that cannot be reached is named without its password', async () => {
  const words = await refusal(migrate('postgres://me:hunter2@127.0.0.1:1/shop'))
  expect(words).toContain('me@127.0.0.1:1/shop')
  expect(words).not.toContain('hunter2')
})

test('a wrong password, role or database is the operator’s to mend', async () => {
  const url = new URL(database.url)
  url.pathname = '/nowhere'
  expect(await refusal(migrate(url.href))).toContain('nowhere')
  url.password = 'wrong'
  expect(await refusal(migrate(url.href))).toContain('password authentication failed')
})
