import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { allItems, type Fixture, itemsOf, openFixture } from './reading-support.ts'
import { called, recorded } from './store-support.ts'

setDefaultTimeout(60_000)

const hour = 3_600_000
const day = 24 * hour
const start = Date.now() - 2 * day

let fixture: Fixture
const ids: string[] = []

beforeAll(async () => {
  fixture = await openFixture()
  const exchanges = Array.from({ length: 40 }, (_, n) =>
    called(
      { messages: [`user: question ${n}`], model: n % 4 === 0 ? 'large' : 'small', session: `s${n % 3}` },
      {
        at: start + n * hour,
        open: {
          tenant: 'a',
          provider: n % 2 === 0 ? 'anthropic' : 'openai',
          key_id: `key-${n % 5}`,
          tags: n % 10 === 0 ? ['nightly', 'eval'] : ['eval'],
          dialect: n % 2 === 0 ? 'anthropic' : 'openai-chat',
        },
        end: {
          status: n % 8 === 7 ? 529 : n % 8 === 6 ? 404 : 200,
          outcome: n % 8 >= 6 ? 'upstream_error' : 'completed',
          ended_at: start + n * hour + (n + 1) * 10,
        },
      },
    ),
  )
  ids.push(...exchanges.map(({ open }) => open.id))
  await fixture.store(exchanges)
  await fixture.store([
    recorded(Buffer.alloc(0), Buffer.alloc(0), { at: start, open: { tenant: 'a', protocol: 'websocket' } }),
    called({ messages: ['user: of another tenant'] }, { at: start + hour, open: { tenant: 'b' } }),
  ])
})

afterAll(() => fixture.release())

type Item = { id: string; started_at: string }

describe('the list of exchanges', () => {
  test('is newest first, of the own tenant, and whole over its pages', async () => {
    const found = await allItems<Item>(fixture, '/api/exchanges?limit=7')
    expect(found.length).toBe(41)
    expect(found.map(({ id }) => id).slice(0, 39)).toEqual(ids.slice(1).reverse())
  })

  test('R12: a cursor holds its place while newer exchanges are stored', async () => {
    const first = await fixture.ask('/api/exchanges?limit=5')
    const { next_cursor } = first.json as { next_cursor: string }
    const fresh = called({ messages: ['user: meanwhile'] }, { at: Date.now(), open: { tenant: 'b' } })
    await fixture.store([fresh])
    const seen = itemsOf<Item>(first)
    const rest = await allItems<Item>(fixture, `/api/exchanges?limit=5&cursor=${next_cursor}`)
    expect([...seen, ...rest].map(({ id }) => id).slice(0, 39)).toEqual(ids.slice(1).reverse())
  })

  test.each<[string, (n: number) => boolean]>([
    ['model=large', (n) => n % 4 === 0],
    ['provider=openai', (n) => n % 2 === 1],
    ['key_id=key-3', (n) => n % 5 === 3],
    ['status=404', (n) => n % 8 === 6],
    ['status=5xx', (n) => n % 8 === 7],
    ['outcome=upstream_error', (n) => n % 8 >= 6],
    ['tag=nightly,eval', (n) => n % 10 === 0],
    ['min_latency_ms=100&max_latency_ms=200', (n) => n >= 9 && n <= 19],
    ['min_cost_micros=7&max_cost_micros=7&dialect=openai-chat', (n) => n % 2 === 1],
    [
      `since=${start + 10 * hour}&until=${new Date(start + 12 * hour).toISOString()}`,
      (n) => n === 10 || n === 11,
    ],
    ['model=small&provider=anthropic&status=2xx', (n) => n % 4 === 2 && n % 8 < 6],
    ['protocol=http&tag=eval&min_cost_micros=8', () => false],
  ])('filters by %s', async (query, holds) => {
    const found = await allItems<Item>(fixture, `/api/exchanges?limit=6&${query}`)
    expect(found.map(({ id }) => id)).toEqual(ids.filter((_, n) => holds(n)).reverse())
  })

  test('filters by conversation', async () => {
    const [one] = itemsOf<{ conversation_id: string }>(
      await fixture.ask(`/api/exchanges?until=${start + hour}&protocol=http`),
    )
    const found = await allItems<Item>(
      fixture,
      `/api/exchanges?limit=50&conversation=${one?.conversation_id}`,
    )
    expect(found.map(({ id }) => id)).toEqual(ids.filter((_, n) => n % 3 === 0).reverse())
  })

  test('shows what is known of an exchange', async () => {
    const { json } = await fixture.ask(`/api/exchanges/${ids[9]}`)
    expect(json).toMatchObject({
      id: ids[9],
      tenant: 'a',
      key_id: 'key-4',
      provider: 'openai',
      model_asked: 'small',
      status: 200,
      outcome: 'completed',
      started_at: new Date(start + 9 * hour).toISOString(),
      latency_ms: 100,
      usage: {
        input: 10,
        output: 5,
        cache_read: 2,
        cache_write: 1,
        cache_write_1h: 0,
        reasoning: 3,
        final: true,
      },
      cost: { micros: 7, currency: 'USD', price_version: 'test' },
      request_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      request_headers: expect.arrayContaining([['content-type', 'application/json']]),
      response_headers: [['content-type', 'application/json']],
    })
  })

  test('a bad parameter is 400 and named', async () => {
    const answer = await fixture.ask('/api/exchanges?status=7&colour=red')
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.json).toMatchObject({ errors: [{ pointer: '?status' }, { pointer: '?colour' }] })
  })

  test('a cursor of somewhere else is 400', async () => {
    expect((await fixture.ask('/api/exchanges?cursor=bm90')).status).toBe(400)
  })
})

describe('the list of conversations', () => {
  test('is the last active first, and whole over its pages', async () => {
    const found = await allItems<{ session: string; exchanges: number }>(
      fixture,
      '/api/conversations?limit=2',
    )
    expect(found.map(({ session, exchanges }) => [session, exchanges])).toEqual([
      ['s0', 14],
      ['s2', 13],
      ['s1', 13],
    ])
  })

  test.each([
    ['session=s1', ['s1']],
    ['client=scripted', ['s0', 's2', 's1']],
    ['client=codex', []],
    ['model=large', ['s0', 's2', 's1']],
    ['text=question%2031', ['s1']],
    [`since=${start + 39 * hour}`, ['s0']],
    [`until=${start + 38 * hour}`, ['s1']],
  ])('filters by %s', async (query, sessions) => {
    const found = await allItems<{ session: string }>(fixture, `/api/conversations?limit=50&${query}`)
    expect(found.map(({ session }) => session)).toEqual(sessions)
  })

  test('a word is found in conversations, however many turns have it and however long ago it was said', async () => {
    const many = Array.from({ length: 1_100 }, (_, n) => `user: plenty ${n}`)
    const asked = (messages: string[], session: string, at: number) =>
      called({ messages, session }, { at, open: { tenant: 'b' } })
    await fixture.store([
      asked(many, 'talkative', start - 3 * day),
      asked(['user: plenty and scarce'], 'brief', start - day),
      asked(['user: plenty and scarce', 'user: of something else'], 'brief', start + hour),
      asked(['user: nothing of it'], 'silent', start),
    ])
    const found = async (text: string, rest = '') =>
      (
        await allItems<{ session: string }>(fixture, `/api/conversations?limit=1&text=${text}${rest}`, {
          key: fixture.keys.b,
        })
      ).map(({ session }) => session)
    expect(await found('plenty')).toEqual(['brief', 'talkative'])
    expect(await found('scarce')).toEqual(['brief'])
    expect(await found('scarce', `&since=${start}`)).toEqual(['brief'])
    expect(await found('plenty', `&until=${start - 2 * day}`)).toEqual(['talkative'])
    expect(await found('plenty%20nowhere')).toEqual([])
  })

  test('turns of a WebSocket that was open before its first message are found and shown', async () => {
    const at = start - 5 * day
    const messages = Array.from({ length: 1_100 }, (_, n) => `user: upgraded ${n}`)
    const open = { tenant: 'b', started_at: at + 1_000 }
    await fixture.store([
      called({ messages, session: 'upgraded' }, { at, open, end: { ended_at: at + 2_000 } }),
    ])
    const b = { key: fixture.keys.b }
    const [one] = itemsOf<{ id: string }>(await fixture.ask('/api/conversations?text=upgraded', b))
    const turns = itemsOf(await fixture.ask(`/api/conversations/${one?.id}/turns?limit=2`, b))
    expect(turns).toMatchObject([{ text: 'upgraded 0' }, { text: 'upgraded 1' }])
  })

  test('R12: a conversation shows its turns page by page, forward and back', async () => {
    const [one] = itemsOf<{ id: string; turns: number }>(await fixture.ask('/api/conversations?session=s1'))
    const path = `/api/conversations/${one?.id}`
    const forward = await allItems<{ number: number; text: string }>(fixture, `${path}/turns?limit=7`)
    expect(forward.map(({ number }) => number)).toEqual(
      Array.from({ length: one?.turns ?? 0 }, (_, n) => n + 1),
    )
    expect(forward[0]).toMatchObject({ role: 'user', text: 'question 1', text_length: 10, truncated: false })
    const back = await allItems<{ number: number }>(fixture, `${path}/turns?limit=7&order=desc`)
    expect(back.map(({ number }) => number)).toEqual(forward.map(({ number }) => number).reverse())
    const shown = await fixture.ask(`${path}?limit=3`)
    expect(shown.json).toMatchObject({ session: 's1', parent: null, children: [], more_children: false })
    expect((shown.json as { turns_page: { items: unknown[] } }).turns_page.items.length).toBe(3)
  })

  test('a long turn is cut in lists and whole by its number', async () => {
    const long = `needle ${'word '.repeat(30_000)}`
    await fixture.store([called({ messages: [`user: ${long}`], session: 'long' }, { open: { tenant: 'b' } })])
    const b = { key: fixture.keys.b }
    const [one] = itemsOf<{ id: string }>(await fixture.ask('/api/conversations?session=long', b))
    const [turn] = itemsOf(await fixture.ask(`/api/conversations/${one?.id}/turns`, b))
    expect(turn).toMatchObject({ truncated: true, text_length: long.length })
    const whole = await fixture.ask(`/api/conversations/${one?.id}/turns/1`, b)
    expect(whole.json).toMatchObject({ text: long, truncated: false })
    expect((await fixture.ask(`/api/conversations/${one?.id}/turns/99`, b)).status).toBe(404)
  })

  test('agents stand in a tree', async () => {
    const key = { key: fixture.keys.b }
    await fixture.store([
      called({ messages: ['user: plan'], session: 'tree' }, { open: { tenant: 'b' } }),
      called({ messages: ['user: dig'], session: 'tree', agent: 'digger' }, { open: { tenant: 'b' } }),
    ])
    const found = itemsOf<{ id: string; agent: string | null }>(
      await fixture.ask('/api/conversations?session=tree', key),
    )
    const root = found.find(({ agent }) => agent === null)?.id
    const child = found.find(({ agent }) => agent === 'digger')?.id
    const shown = [
      await fixture.ask(`/api/conversations/${root}`, key),
      await fixture.ask(`/api/conversations/${child}`, key),
    ]
    expect(shown[0]?.json).toMatchObject({ parent: null, children: [{ id: child }] })
    expect(shown[1]?.json).toMatchObject({ parent: { id: root }, parent_id: root, children: [] })
    expect(itemsOf(await fixture.ask(`/api/conversations?parent=${root}`, key))).toMatchObject([
      { id: child },
    ])
  })
})
