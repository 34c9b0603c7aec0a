import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { parseSearch } from '../../src/capture/reading/search-query.ts'
import { snippetOf } from '../../src/capture/reading/snippet.ts'
import { allItems, type Fixture, openFixture } from './reading-support.ts'
import { called } from './store-support.ts'

setDefaultTimeout(60_000)

let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
  const a = { open: { tenant: 'a' } }
  await fixture.store([
    called({ messages: ['user: The quick brown fox jumps'], reply: 'over the lazy dog', session: 'one' }, a),
    called(
      {
        messages: ['user: call readFile(path) now', 'tool: ENOENT, the brown path'],
        reply: null,
        session: 'two',
      },
      a,
    ),
    called({ messages: ['user: 日本語の検索は難しい'], reply: 'Ja, ščřžýáí!', session: 'two' }, a),
    called(
      { messages: ['user: brown quick, in another order'], reply: null, model: 'large', session: 'three' },
      a,
    ),
    called(
      { messages: [`user: ${'filler '.repeat(3_000)}deepneedle${' more'.repeat(100)}`], session: 'deep' },
      a,
    ),
    called({ messages: ['user: brown secret of b'], reply: null }, { open: { tenant: 'b' } }),
    ...Array.from({ length: 30 }, (_, n) => called({ messages: [`user: common ${n}`], reply: null }, a)),
  ])
})

afterAll(() => fixture.release())

type Hit = {
  snippet: string
  highlights: [number, number][]
  role: string
  conversation_id: string
  number: number
}

async function found(query: string, key = fixture.keys.a): Promise<Hit[]> {
  return await allItems<Hit>(fixture, `/api/search?limit=7&${query}`, { key })
}

function marked({ snippet, highlights }: Hit): string[] {
  return highlights.map(([from, to]) => snippet.slice(from, to))
}

describe('search', () => {
  test.each<[string, string[]]>([
    ['brown', ['brown quick, in another order', 'ENOENT, the brown path', 'The quick brown fox jumps']],
    ['quick brown', ['brown quick, in another order', 'The quick brown fox jumps']],
    ['"quick brown"', ['The quick brown fox jumps']],
    ['brown -quick', ['ENOENT, the brown path']],
    ['fox or enoent', ['ENOENT, the brown path', 'The quick brown fox jumps']],
    ['read_file', ['call readFile(path) now']],
    ['jum*', ['The quick brown fox jumps']],
    ['検索', ['日本語の検索は難しい']],
    ['ŠČŘŽÝÁÍ', ['Ja, ščřžýáí!']],
    ['secret', []],
    ["it's '&|!() <-> :*", []],
  ])('%s', async (q, texts) => {
    const hits = await found(`q=${encodeURIComponent(q)}`)
    expect(hits.map(({ snippet }) => snippet)).toEqual(texts)
  })

  test('highlights what it found', async () => {
    const [hit] = await found('q=fox+quick+brown')
    expect(hit && marked(hit)).toEqual(['quick', 'brown', 'fox'])
    const [code] = await found('q=file')
    expect(code && marked(code)).toEqual(['readFile'])
  })

  test('a snippet is around the word, however deep it is', async () => {
    const [hit] = await found('q=deepneedle')
    expect(hit && marked(hit)).toEqual(['deepneedle'])
    expect(hit?.snippet.length).toBeLessThan(300)
  })

  test('R12: is newest first and whole over its pages', async () => {
    const hits = await found('q=common')
    expect(hits.map(({ snippet }) => snippet)).toEqual(
      Array.from({ length: 30 }, (_, n) => `common ${29 - n}`),
    )
  })

  test.each<[string, number]>([
    ['q=brown&role=tool', 1],
    ['q=the&role=assistant', 1],
    ['q=brown&session=one', 1],
    ['q=brown&client=scripted', 3],
    ['q=brown&model=large', 1],
    ['q=brown&until=2020-01-01', 0],
    ['q=brown&since=2020-01-01', 3],
  ])('filters by %s', async (query, count) => {
    expect((await found(query)).length).toBe(count)
  })

  test('D12: sees one tenant, and for an admin all or the one named', async () => {
    expect((await found('q=brown', fixture.keys.b)).map(({ snippet }) => snippet)).toEqual([
      'brown secret of b',
    ])
    expect((await found('q=brown', fixture.keys.admin)).length).toBe(4)
    expect((await found('q=brown&tenant=b', fixture.keys.admin)).length).toBe(1)
    expect((await fixture.ask('/api/search?q=brown&tenant=b')).status).toBe(403)
  })

  test.each(['', 'q=', 'q=-brown', 'q=%22%22', 'q=or', 'q=%00', `q=${'x'.repeat(1_001)}`])(
    'without a word to look for, %s is 400',
    async (query) => {
      expect((await fixture.ask(`/api/search?${query}`)).status).toBe(400)
    },
  )
})

describe('a search as it was typed', () => {
  test('a word that may be absent makes no search', () => {
    for (const text of ['-a', 'a or -b', '-a -b', '"" or'])
      expect(() => parseSearch(text, null)).toThrow('?q')
  })

  test('an open quote ends with the text', () => {
    expect(parseSearch('"open phrase', null)).toMatchObject({ phrases: ['open phrase'] })
  })
})

test('a snippet of one huge word takes no time', () => {
  const began = performance.now()
  snippetOf('ab'.repeat(100_000), ['a', 'b', 'ab'])
  expect(performance.now() - began).toBeLessThan(500)
})
