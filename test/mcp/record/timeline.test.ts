import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { rebuild } from '#capture'
import type { ExchangeFilters } from '../../../src/capture/reading/exchange-filters.ts'
import { type ExchangeItem, matches } from '../../../src/capture/reading/exchange-item.ts'
import { type Fixture, openFixture } from '../../capture/reading-support.ts'
import { called, quiet } from '../../capture/store-support.ts'
import { interpretBoth, toolCall } from './support.ts'

setDefaultTimeout(60_000)

type Item = Record<string, unknown> & { type: string }
type Timeline = { items: Item[]; next_cursor: string | null; more_calls: boolean }

let fixture: Fixture
let round = 0
let session = ''
let start = Date.now() - 3_000_000

beforeAll(async () => {
  fixture = await openFixture({ interpret: interpretBoth })
}, 60_000)

beforeEach(() => {
  round += 1
  session = `claude-${round}`
  start += 10_000
})

afterAll(async () => {
  await fixture.release()
})

const a = { open: { tenant: 'a' } }

/** A question, an answer that asks for two tools, their calls, and what the model makes of it. */
function story() {
  const use = (name: string) => `toolu_${round}_${name}`
  const asks = `I look. [use ${use('one')} search] [use ${use('two')} read]`
  const first = called({ messages: ['user: find bees'], reply: asks, session }, { ...a, at: start })
  const one = toolCall({
    ...{ meta: { 'claudecode/toolUseId': use('one') }, at: start + 100 },
    hop: { tenant: 'a', name: 'github__search', session: 'mcp-1' },
  })
  const upstream = toolCall({
    at: start + 101,
    hop: { tenant: 'a', hop: 'upstream', parent: one.open.id, peer: 'github', name: 'search', session: null },
  })
  const two = toolCall({
    ...{ tool: 'files__read', meta: { 'claudecode/toolUseId': use('two') }, at: start + 102 },
    result: { isError: true, content: [{ type: 'text', text: 'no such file' }] },
    hop: { tenant: 'a', session: 'mcp-1' },
  })
  const messages = ['user: find bees', `assistant: ${asks}`, 'tool: three hives']
  const second = called({ messages, reply: 'Three hives.', session }, { ...a, at: start + 200 })
  return { first, one, upstream, two, second }
}

async function timelineOf(exchange: { open: { id: string } }, query = ''): Promise<Timeline> {
  const { json } = await fixture.ask(`/api/exchanges/${exchange.open.id}`)
  const { conversation_id } = json as { conversation_id: string }
  const answer = await fixture.ask(`/api/conversations/${conversation_id}/timeline${query}`)
  expect(answer.status).toBe(200)
  return answer.json as Timeline
}

function brief({ items }: Timeline): string[] {
  return items.map((item) =>
    item.type === 'turn' ? `${item.role}: ${item.text}` : `call ${item.name} ${item.server} ${item.outcome}`,
  )
}

test.each(['calls', 'answers'])(
  'the timeline shows the calls that an answer caused, with the %s stored first',
  async (earlier) => {
    const { first, one, upstream, two, second } = story()
    const [calls, answers] = [
      [one, upstream, two],
      [first, second],
    ]
    await fixture.store(earlier === 'calls' ? calls : answers)
    await fixture.store(earlier === 'calls' ? answers : calls)
    const seen = await timelineOf(first)
    const asks = `I look. [use toolu_${round}_one search] [use toolu_${round}_two read]`
    const expected = [
      'user: find bees',
      `assistant: ${asks}`,
      'call github__search github completed',
      'call files__read null upstream_error',
      'tool: three hives',
      'assistant: Three hives.',
    ]
    expect(brief(seen)).toEqual(expected)
    expect(seen.items[1]?.tool_uses).toEqual([
      { id: `toolu_${round}_one`, name: 'search', calls: [one.open.id] },
      { id: `toolu_${round}_two`, name: 'read', calls: [two.open.id] },
    ])
    expect(seen.items[2]).toMatchObject({ exchange_id: one.open.id, duration_ms: 4, rpc: 'tools/call' })
    expect(seen.items[2]?.upstream).toEqual([{ id: upstream.open.id, server: 'github' }])
    expect(seen.items[3]).toMatchObject({ error: 'tool-error' })
  },
)

test('page by page, in either order, it is the same timeline', async () => {
  const { first, one, upstream, two, second } = story()
  await fixture.store([first, one, upstream, two, second])
  const whole = brief(await timelineOf(first))
  for (const order of ['asc', 'desc']) {
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = `?limit=1&order=${order}${cursor === '' ? '' : `&cursor=${cursor}`}`
      const page = await timelineOf(first, query)
      seen.push(...brief(page))
      cursor = page.next_cursor
    }
    expect(seen).toEqual(order === 'asc' ? whole : whole.toReversed())
  }
})

test('a call that names no tool use is placed by the session of its agent', async () => {
  const { first, second } = story()
  const headers: [string, string][] = [['x-claude-code-session-id', session]]
  const call = toolCall({ tool: 'plain', at: start + 150, hop: { tenant: 'a', headers } })
  const stranger = toolCall({
    ...{ tool: 'other', at: start + 150 },
    hop: { tenant: 'a', headers: [['x-claude-code-session-id', 'another']] },
  })
  await fixture.store([call, stranger, first, second])
  expect(brief(await timelineOf(first)).filter((line) => line.startsWith('call'))).toEqual([
    'call plain null completed',
  ])
  expect(brief(await timelineOf(first)).indexOf('call plain null completed')).toBe(2)
})

test('another tenant’s call is not shown, though it names the same tool use', async () => {
  const { first, one } = story()
  await fixture.store([first, { ...one, open: { ...one.open, tenant: 'b' } }])
  expect(brief(await timelineOf(first)).some((line) => line.startsWith('call'))).toBe(false)
})

test('R5: a rebuild leaves the timeline as it was', async () => {
  const { first, one, upstream, two, second } = story()
  await fixture.store([first, one, upstream, two, second])
  const before = brief(await timelineOf(first))
  const done = await rebuild({ sql: fixture.database.sql, interpret: interpretBoth, log: quiet })
  expect(done?.failed).toBe(0)
  expect(brief(await timelineOf(first))).toEqual(before)
})

test('exchanges of MCP are found by what they are about', async () => {
  const { first, one, upstream, two, second } = story()
  await fixture.store([first, one, upstream, two, second])
  const all = await fixture.ask(`/api/exchanges?since=${start}&until=${start + 500}`)
  const whole = (all.json as { items: ExchangeItem[] }).items
  const found = async (query: string) => {
    const { json, status } = await fixture.ask(`/api/exchanges?since=${start}&until=${start + 500}&${query}`)
    expect({ query, status }).toEqual({ query, status: 200 })
    const ids = (json as { items: { id: string }[] }).items.map(({ id }) => id).sort()
    // What arrives live is filtered apart from the database, and must be filtered alike.
    const filters = { ...Object.fromEntries(new URLSearchParams(query)), tenant: 'a' } as ExchangeFilters
    expect(
      whole
        .filter((item) => matches(item, filters))
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids)
    return ids
  }
  const ids = (...exchanges: { open: { id: string } }[]) => exchanges.map(({ open }) => open.id).sort()
  expect(await found('dialect=mcp')).toEqual(ids(one, upstream, two))
  expect(await found('hop=client')).toEqual(ids(one, two))
  expect(await found('server=github')).toEqual(ids(upstream))
  expect(await found('tool=files__read&rpc=tools/call')).toEqual(ids(two))
  expect(await found('session=mcp-1')).toEqual(ids(one, two))
  expect(await found(`tool_use=toolu_${round}_one`)).toEqual(ids(one))
  expect(await found(`parent=${one.open.id}`)).toEqual(ids(upstream))
  expect(await found('protocol=stdio')).toEqual([])
  expect(await found('outcome=upstream_error&hop=client')).toEqual(ids(two))
})

test('an exchange shows its facts, what it asked for and what it caused', async () => {
  const { first, one, upstream } = story()
  await fixture.store([first, one, upstream])
  const call = (await fixture.ask(`/api/exchanges/${one.open.id}`)).json as Record<string, unknown>
  expect(call.mcp).toMatchObject({ hop: 'client', name: 'github__search', tool_use: `toolu_${round}_one` })
  expect(call.children).toMatchObject([
    { id: upstream.open.id, mcp: { peer: 'github', parent: one.open.id } },
  ])
  const answer = (await fixture.ask(`/api/exchanges/${first.open.id}`)).json as Record<string, unknown>
  expect(answer).toMatchObject({ mcp: null, children: [], more_children: false })
  expect(answer.tool_uses).toHaveLength(2)
  const replayed = await fixture.ask(`/api/exchanges/${one.open.id}/replay`, { method: 'POST', body: {} })
  expect([replayed.status, replayed.text]).toEqual([422, expect.stringContaining('only its own client')])
})

test('a search finds the words of arguments and of results', async () => {
  const call = toolCall({
    input: { q: `wombat${round}` },
    result: { content: [{ type: 'text', text: `burrow${round}` }] },
    hop: { tenant: 'a' },
  })
  await fixture.store([call])
  for (const q of [`wombat${round}`, `burrow${round}`]) {
    const { json } = await fixture.ask(`/api/search?q=${q}&role=tool`)
    expect((json as { items: { exchange_id: string }[] }).items).toMatchObject([
      { exchange_id: call.open.id },
    ])
  }
})
