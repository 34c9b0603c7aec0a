import { afterAll, beforeAll, expect, test } from 'bun:test'
import { captureTools } from '#tools/capture'
import { called } from './store-support.ts'
import { openToolFixture, principalOf, type ToolFixture } from './tools-support.ts'

let on: ToolFixture
let id: string
const replayed: Request[] = []

beforeAll(async () => {
  on = await openToolFixture(async (request) => {
    replayed.push(request)
    return new Response('{"reply":"new"}', { headers: { 'sluice-exchange': 'the-new-one' } })
  })
  const exchange = called({ messages: ['user: a marmot'], session: 's', model: 'm-1' })
  id = exchange.open.id
  await on.store([{ ...exchange, open: { ...exchange.open, tenant: 'a', provider: 'mock' } }])
})
afterAll(() => on.release())

test('calls are listed, found by words, and shown with their bodies', async () => {
  const listed = await on.call('list_exchanges', { model: 'm-1' })
  expect(listed.value.items.map((item: { id: string }) => item.id)).toEqual([id])
  const found = await on.call('search_exchanges', { query: 'marmot' })
  expect(found.value.items[0]).toMatchObject({ exchange_id: id, role: 'assistant' })
  const shown = await on.call('get_exchange', { exchange_id: id, body: 'request' })
  expect(JSON.parse(shown.value.body.data)).toMatchObject({ messages: ['user: a marmot'] })
  expect(shown.value.body).toMatchObject({ encoding: 'utf8', next_offset: null })
})

test('a call is sent again by who may', async () => {
  const answer = await on.call('replay_exchange', { exchange_id: id, model: 'm-2' })
  expect(answer.value).toMatchObject({ replay_of: id, exchange_id: 'the-new-one', status: 200 })
  expect(await replayed[0]?.json()).toMatchObject({ model: 'm-2' })
  const refused = await on.call('replay_exchange', { exchange_id: id }, principalOf('a', ['read']))
  expect(refused.text).toContain('needs the scope replay')
})

test('nothing is shown to another tenant', async () => {
  const b = principalOf('b')
  expect((await on.call('list_exchanges', {}, b)).value.items).toEqual([])
  expect((await on.call('get_exchange', { exchange_id: id, body: 'request' }, b)).ok).toBe(false)
  expect((await on.call('replay_exchange', { exchange_id: id }, b)).ok).toBe(false)
})

test('the names are those that clients know, and seven of the record only read', () => {
  const tools = captureTools({
    ...on,
    sql: on.database.sql,
    replay: async () => new Response(),
    filesFolder: '',
  })
  const dewey = tools.filter(({ name }) => name.startsWith('dewey_'))
  expect(dewey).toHaveLength(15)
  expect(
    dewey
      .filter(({ readOnly }) => readOnly)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'dewey_get_conversation',
    'dewey_get_log_stats',
    'dewey_get_startup_context',
    'dewey_list_conversations',
    'dewey_list_startup_contexts',
    'dewey_query_logs',
    'dewey_search',
  ])
})
