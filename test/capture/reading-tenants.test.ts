import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Fixture, itemsOf, openFixture } from './reading-support.ts'
import { called } from './store-support.ts'

setDefaultTimeout(60_000)

let fixture: Fixture
let exchange: string
let conversation: string

beforeAll(async () => {
  fixture = await openFixture()
  const of = (tenant: string) =>
    called(
      { messages: [`user: secret of ${tenant}`], session: 'same' },
      { open: { tenant, key_id: `key-${tenant}` } },
    )
  const [a, b] = [of('a'), of('b')]
  await fixture.store([a, b])
  exchange = b.open.id
  const [found] = itemsOf<{ id: string }>(await fixture.ask('/api/conversations', { key: fixture.keys.b }))
  conversation = found?.id ?? ''
})

afterAll(() => fixture.release())

const objects = [
  'GET /api/exchanges/:exchange',
  'GET /api/exchanges/:exchange/request',
  'GET /api/exchanges/:exchange/response',
  'POST /api/exchanges/:exchange/replay',
  'GET /api/conversations/:conversation',
  'GET /api/conversations/:conversation/turns',
  'GET /api/conversations/:conversation/turns/1',
  'GET /api/conversations/:conversation/export',
]

function pathOf(route: string): [method: string, path: string] {
  const [method = '', path = ''] = route.split(' ')
  return [method, path.replace(':exchange', exchange).replace(':conversation', conversation)]
}

test.each(objects)("D12: another tenant's object does not exist: %s", async (route) => {
  const [method, path] = pathOf(route)
  const foreign = await fixture.ask(path, { method })
  const nowhere = await fixture.ask(path.replace(/[0-9a-f]{12}(?=$|\/)/, '0123456789ab'), { method })
  expect(foreign.status).toBe(404)
  expect(foreign.text).toBe(nowhere.text)
  if (method === 'GET') expect((await fixture.ask(path, { key: fixture.keys.b })).status).toBe(200)
  expect((await fixture.ask(path, { method, key: fixture.keys.caller })).status).toBe(403)
})

test.each([
  '/api/exchanges?limit=50',
  '/api/exchanges?key_id=key-b',
  '/api/conversations?limit=50',
  '/api/conversations?session=same',
  '/api/conversations?text=secret',
  '/api/search?q=secret',
  '/api/export',
  '/api/export?what=conversations',
])('D12: %s holds nothing of another tenant', async (path) => {
  const { status, text } = await fixture.ask(path)
  expect(status).toBe(200)
  expect(text).not.toContain('"tenant":"b"')
  expect(text).not.toContain(exchange)
  expect(text).not.toContain(conversation)
  const named = `${path}${path.includes('?') ? '&' : '?'}tenant=b`
  expect((await fixture.ask(named)).status).toBe(403)
  expect((await fixture.ask(named, { key: fixture.keys.admin })).text).toContain('"tenant":"b"')
})

test('D12: another tenant’s conversation or exchange as a filter finds nothing', async () => {
  expect(itemsOf(await fixture.ask(`/api/exchanges?conversation=${conversation}`))).toEqual([])
  expect(itemsOf(await fixture.ask(`/api/conversations?parent=${conversation}`))).toEqual([])
  expect(itemsOf(await fixture.ask(`/api/search?q=secret&conversation=${conversation}`))).toEqual([])
})
