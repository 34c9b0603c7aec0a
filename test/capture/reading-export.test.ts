import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import zlib from 'node:zlib'
import { newId } from '../../src/lib/ids.ts'
import { until } from '../support/until.ts'
import { type Answer, type Fixture, itemsOf, openFixture } from './reading-support.ts'
import { called, recorded } from './store-support.ts'

setDefaultTimeout(60_000)

const hour = 3_600_000
const start = Date.now() - 100 * hour
const binary = Buffer.from([0, 255, 128, 10, 13, 200])
const packed = zlib.gzipSync('compressed text')
let fixture: Fixture
const ids: string[] = []

beforeAll(async () => {
  fixture = await openFixture()
  const turns = Array.from({ length: 450 }, (_, n) =>
    called(
      { messages: ['system: Be kind.', `user: question ${n}`], reply: `answer ${n}`, session: `s${n % 2}` },
      { at: start + n * 60_000, open: { tenant: 'a', provider: n % 9 === 0 ? 'openai' : 'anthropic' } },
    ),
  )
  const raw = [
    recorded(binary, packed, {
      at: start + 90 * hour,
      open: { tenant: 'a', provider: 'raw' },
      end: { response_headers: [['content-encoding', 'gzip']] },
    }),
    recorded(Buffer.alloc(0), Buffer.alloc(0), {
      at: start + 91 * hour,
      open: { tenant: 'a', provider: 'raw', mode: 'metadata' },
    }),
  ]
  ids.push(...[...turns, ...raw].map(({ open }) => open.id))
  await fixture.store(turns)
  await fixture.store([...raw, called({ messages: ['user: of b'] }, { open: { tenant: 'b' } })])
})

afterAll(() => fixture.release())

type Body = { encoding: string; data: string }
type Line = Record<string, unknown> & { type: string; id: string; request?: Body; response?: Body }

function linesOf(answer: Answer): Line[] {
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toStartWith('application/x-ndjson')
  expect(answer.text.endsWith('\n')).toBe(true)
  return answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

const exported = async (query: string) => linesOf(await fixture.ask(`/api/export?${query}`))

describe('an export of exchanges', () => {
  test('has a line for each, oldest first, and a trailer', async () => {
    const lines = await exported('')
    expect(lines.slice(0, -1).map(({ id }) => id)).toEqual(ids)
    expect(lines.at(-1)).toEqual({
      type: 'end',
      count: ids.length,
      complete: true,
      after: ids.at(-1),
    } as never)
    expect(lines[0]).toMatchObject({ type: 'exchange', tenant: 'a', request_sha256: expect.any(String) })
  })

  test('is resumed after the last line that came', async () => {
    const found: string[] = []
    for (let after = '', complete = false; !complete; ) {
      const lines = await exported(`limit=100${after}`)
      const trailer = lines.pop()
      found.push(...lines.map(({ id }) => id))
      after = `&after=${trailer?.after}`
      complete = trailer?.complete === true
    }
    expect(found).toEqual(ids)
  })

  test('takes the filters of the list', async () => {
    const lines = await exported(`provider=openai&since=${start + 60_000}&until=${start + 30 * 60_000}`)
    expect(lines.slice(0, -1).map(({ id }) => id)).toEqual([ids[9], ids[18], ids[27]] as string[])
    expect((await exported('provider=none')).length).toBe(1)
  })

  test('R6, R15: with bodies has text as text, the rest as base64, marked', async () => {
    const [first, second] = await exported('provider=raw&bodies=1')
    expect(first).toMatchObject({
      request: { encoding: 'base64', data: binary.toString('base64') },
      response: { encoding: 'base64', content_encoding: 'gzip', data: packed.toString('base64') },
      response_headers: [['content-encoding', 'gzip']],
    })
    expect(second).toMatchObject({ mode: 'metadata' })
    expect(second).not.toHaveProperty('request')
    const [decoded] = await exported('provider=raw&bodies=1&decoded=1')
    expect(decoded).toMatchObject({ response: { encoding: 'utf8', data: 'compressed text' } })
    const [text] = await exported(`bodies=1&after=${ids[3]}&limit=1`)
    expect(text).toMatchObject({ id: ids[4], request: { encoding: 'utf8' } })
    expect(JSON.parse(text?.request?.data ?? '')).toMatchObject({ session: 's0' })
  })

  test('R15: a large body comes back whole through its pieces', async () => {
    const text = `${'žluťoučký 🐎 "kůň"\\\n'.repeat(40_000)}\0end`
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, n) => (n * 7919) % 256))
    const large = recorded(Buffer.from(text), bytes, { open: { tenant: 'a', provider: 'large' } })
    await fixture.store([large])
    const [line] = await exported('provider=large&bodies=1')
    expect(line?.request?.data === text).toBe(true)
    expect(Buffer.compare(Buffer.from(line?.response?.data ?? '', 'base64'), bytes)).toBe(0)
  })

  test('one damaged content does not end it', async () => {
    const bad = called({ messages: ['user: to be damaged'] }, { open: { tenant: 'a', provider: 'damaged' } })
    await fixture.store([bad])
    await fixture.database.sql`update contents set data = '\\x00', codec = 1 where id = ${bad.open.id}`
    const lines = await exported('provider=damaged&bodies=1')
    expect(lines).toMatchObject([
      { id: bad.open.id, content_error: expect.any(String) },
      { type: 'end', count: 1 },
    ])
  })

  test('D12: sees one tenant only', async () => {
    const lines = linesOf(await fixture.ask('/api/export', { key: fixture.keys.b }))
    expect(lines.map(({ tenant }) => tenant)).toEqual(['b', undefined])
    expect((await fixture.ask('/api/export?tenant=b')).status).toBe(403)
  })

  test('R12: stops reading when the client leaves, and holds nothing for one that does not read', async () => {
    const app = fixture.app.listen({ port: 0, hostname: '127.0.0.1' })
    const leave = new AbortController()
    const response = await fetch(`http://127.0.0.1:${app.server?.port}/api/export?bodies=1`, {
      headers: { authorization: `Bearer ${fixture.keys.a}` },
      signal: leave.signal,
    })
    const reader = response.body?.getReader()
    await reader?.read()
    leave.abort()
    await until('no query runs any more', async () => {
      const [row] = await fixture.database.sql<{ busy: number }[]>`
        select count(*)::int as busy from pg_stat_activity
        where application_name = 'sluice-read' and datname = current_database() and state = 'active'`
      return row?.busy === 0
    })
  })
})

describe('an export of conversations', () => {
  test.each(['openai', 'anthropic'])('has %s-shaped messages', async (format) => {
    const lines = await exported(`what=conversations&session=s1&format=${format}`)
    expect(lines.map(({ type }) => type)).toEqual(['conversation', 'end'])
    const { messages, system } = lines[0] as unknown as {
      messages: { role: string; content: string }[]
      system?: string
    }
    const questions = Array.from({ length: 225 }, (_, n) => 2 * n + 1)
    const said = questions.flatMap((n) => [
      { role: 'user', content: `question ${n}` },
      { role: 'assistant', content: `answer ${n}` },
    ])
    expect(messages).toEqual(format === 'openai' ? [{ role: 'system', content: 'Be kind.' }, ...said] : said)
    expect(system).toBe(format === 'anthropic' ? 'Be kind.' : undefined)
  })

  test('of one conversation is a document, or a line a turn', async () => {
    const [one] = itemsOf<{ id: string }>(await fixture.ask('/api/conversations?session=s0'))
    const path = `/api/conversations/${one?.id}/export`
    for (const format of ['openai', 'anthropic']) {
      const answer = await fixture.ask(`${path}?format=${format}`)
      expect(answer.headers.get('content-type')).toStartWith('application/json')
      expect((answer.json as { messages: unknown[] }).messages.length).toBe(format === 'openai' ? 451 : 450)
    }
    const lines = linesOf(await fixture.ask(`${path}?format=jsonl`))
    expect(lines.length).toBe(451)
    expect(lines[0]).toMatchObject({ conversation_id: one?.id, number: 1, role: 'system', text: 'Be kind.' })
    expect((await fixture.ask(`${path}?format=xml`)).status).toBe(400)
  })

  test('is resumed after the last line', async () => {
    const [first, trailer] = await exported('what=conversations&limit=1')
    expect(trailer).toMatchObject({ complete: false, after: first?.id })
    const [second] = await exported(`what=conversations&after=${trailer?.after}`)
    expect(second?.id).not.toBe(first?.id as string)
    expect(await exported(`what=conversations&after=${newId()}`)).toBeArray()
  })
})
