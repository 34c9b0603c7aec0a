import { afterAll, beforeAll, expect, test } from 'bun:test'
import { searchQuery, wordsOf } from '../../src/capture/storing/words.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { called, handlerOn, stored } from './store-support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

async function found(text: string, tenant: string | null = null): Promise<string[]> {
  const rows = await database.sql`
    select t.text from turn_words w join turns t on t.id = w.id
    where w.words @@ ${searchQuery(text, tenant)}::tsquery order by t.id`
  return rows.map((row) => row.text)
}

test('words are runs of letters and digits, the parts of identifiers, and pairs where there are no spaces', () => {
  expect([...wordsOf('src/spoolFile.ts HTTPServer utf8_text')]).toEqual([
    'src',
    'spoolfile',
    'spool',
    'file',
    'ts',
    'httpserver',
    'http',
    'server',
    'utf8_text',
    'utf8',
    'text',
  ])
  expect([...wordsOf('Überprüfe naïve café')]).toEqual(['überprüfe', 'naïve', 'café'])
  expect([...wordsOf('使用readFile')]).toEqual(['使用', 'readfile', 'read', 'file'])
  expect([...wordsOf('検索する')]).toEqual(['検索', '索す', 'する'])
  expect([...wordsOf('\u0000 \ud800 "quoted" it\'s')]).toEqual(['quoted', 'it', 's'])
})

test('what is stored is found by its words, in any tenant or in one', async () => {
  const handler = handlerOn(database.sql)
  await stored(handler, [
    called({ messages: ['user: Where is readFile defined?'], reply: 'In src/lib/disk.ts' }),
    called({ messages: ['user: readFile elsewhere'], reply: null }, { open: { tenant: 'other' } }),
    called({ messages: ['user: 请检索这个文件'], reply: "l'été, c'est fini" }),
  ])
  await handler.indexed()
  expect(await found('readfile')).toEqual(['Where is readFile defined?', 'readFile elsewhere'])
  expect(await found('read_file', 'other')).toEqual(['readFile elsewhere'])
  expect(await found('disk', 'default')).toEqual(['In src/lib/disk.ts'])
  expect(await found('disk', 'other')).toEqual([])
  expect(await found('def*')).toEqual(['Where is readFile defined?'])
  expect(await found('检索')).toEqual(['请检索这个文件'])
  expect(await found('ÉTÉ')).toEqual(["l'été, c'est fini"])
  expect(await found('readFile disk')).toEqual([])
  expect(searchQuery(' ?! ', 'default')).toBeNull()
})

test('a turn of many megabytes, or of words without end, is stored and its beginning is found', async () => {
  const handler = handlerOn(database.sql)
  const words = Array.from({ length: 200_000 }, (_, n) => `w${n.toString(36)}x`).join(' ')
  await stored(handler, [
    called({ messages: [`user: needle ${words}`, `user: pin ${'a'.repeat(3_000_000)}`], reply: 'big' }),
  ])
  await handler.indexed()
  expect((await found('needle')).length).toBe(1)
  expect((await found('pin')).length).toBe(1)
})

test('what a worker leaves unindexed, the next one indexes', async () => {
  const dying = handlerOn(database.sql)
  await dying.close()
  await stored(dying, [called({ messages: ['user: leftover'], reply: null })])
  expect(await found('leftover')).toEqual([])
  const next = handlerOn(database.sql)
  await stored(next, [called({ messages: ['user: more'], reply: null })])
  await next.indexed()
  expect(await found('leftover')).toEqual(['leftover'])
})
