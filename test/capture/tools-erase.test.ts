import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readContent } from '#capture'
import type { RecordedExchange } from '../../src/capture/exchange.ts'
import { called, stored } from './store-support.ts'
import { openToolFixture, principalOf, type ToolFixture } from './tools-support.ts'

let on: ToolFixture
beforeAll(async () => {
  on = await openToolFixture()
})
afterAll(() => on.release())

const admin = principalOf('a', ['admin'])
const long = (word: string) => Array.from({ length: 400 }, (_, n) => `${word} ${n}`).join(' ')

function said(session: string, ...messages: string[]): RecordedExchange {
  const exchange = called({ messages, session })
  // Its first word names the family of requests that look alike.
  const path = `/v1/${messages[0]?.split(' ')[1]}`
  return { ...exchange, open: { ...exchange.open, tenant: 'a', path } }
}

async function idOf(session: string): Promise<string> {
  const { value } = await on.call('dewey_list_conversations', { session_id: session })
  return value.conversations[0].id
}

test('a conversation is deleted only with force, and one of traffic only by an admin', async () => {
  await on.store([said('keep', 'user: stay')])
  const conversation_id = await idOf('keep')
  const asked = await on.call('dewey_delete_conversation', { conversation_id }, admin)
  expect(asked.text).toContain('it holds 2 messages and 1 recorded calls; nothing was deleted')
  const refused = await on.call('dewey_delete_conversation', { conversation_id, force: true })
  expect(refused.text).toContain('only an admin may delete')
  expect((await on.call('dewey_get_conversation', { conversation_id })).ok).toBe(true)
})

test('what builds on erased bytes is readable afterwards, byte for byte, and what was erased is nowhere', async () => {
  const text = long('heron')
  const gone = said('gone', `user: ${text} erased-marker`)
  const others = [said('left-1', `user: ${text} first`), said('left-2', `user: ${text} second`)]
  await on.store([gone, ...others])
  const { sql } = on.database
  const bases = await sql<
    { base: string | null }[]
  >`select base from contents where id = any(${others.map((one) => one.open.id)}::uuid[])`
  expect(bases.some(({ base }) => base === gone.open.id)).toBe(true)

  const conversation_id = await idOf('gone')
  const deleted = await on.call('dewey_delete_conversation', { conversation_id, force: true }, admin)
  expect(deleted.value).toMatchObject({ deleted: true, messages_deleted: 2, exchanges_erased: 1 })
  expect(await readContent(sql, gone.open.id)).toBeNull()
  expect((await on.call('dewey_search', { query: 'erased-marker' }, admin)).value.results).toEqual([])
  const [row] =
    await sql`select mode, input_tokens, conversation_id from exchanges where id = ${gone.open.id}`
  expect(row).toMatchObject({ mode: 'erased', input_tokens: 10, conversation_id: null })
  const read = await on.call('get_exchange', { exchange_id: gone.open.id, body: 'request' }, admin)
  expect(read.text).toContain('was deleted with its conversation')
  for (const { open, request } of others) {
    expect(Buffer.from((await readContent(sql, open.id))?.request ?? []).equals(Buffer.from(request))).toBe(
      true,
    )
  }
})

test('a worker that remembers erased bytes does not build upon them', async () => {
  const text = long('plover')
  const gone = said('gone-2', `user: ${text} a`)
  await on.store([gone])
  await on.call('dewey_delete_conversation', { conversation_id: await idOf('gone-2'), force: true }, admin)
  const later = said('later', `user: ${text} b`)
  await stored(on.handler, [later])
  const content = await readContent(on.database.sql, later.open.id)
  expect(Buffer.from(content?.request ?? []).equals(Buffer.from(later.request))).toBe(true)
})

test('one that an agent keeps goes with a key of its own tenant', async () => {
  const begun = await on.call('dewey_begin_conversation')
  const { conversation_id } = begun.value
  await on.call('dewey_store_message', { conversation_id, role: 'user', content: 'a lapwing' })
  const deleted = await on.call('dewey_delete_conversation', { conversation_id, force: true })
  expect(deleted.value).toMatchObject({ deleted: true, messages_deleted: 1 })
  expect((await on.call('dewey_search', { query: 'lapwing' })).value.results).toEqual([])
  expect((await on.call('dewey_get_conversation', { conversation_id })).ok).toBe(false)
})
