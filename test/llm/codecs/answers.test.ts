import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { translator } from '../../../src/llm/codecs/index.ts'
import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { dialectNamed } from '../../../src/llm/dialects/dialects.ts'
import { clients, dialects, pairs } from './clients.ts'
import { cutShort, refusals, wholes } from './fixtures.ts'
import { openTestGateway, type TestGateway } from './gateway.ts'
import { streams } from './stream-fixtures.ts'

/** Answers every call with what is set here. */
let answer: { body: string; type: string } = { body: '', type: '' }
let upstream: ReturnType<typeof Bun.serve>
const gateways = new Map<ChatDialect, TestGateway>()

beforeAll(() => {
  upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(answer.body, { headers: { 'content-type': answer.type } }),
  })
  for (const to of dialects) gateways.set(to, openTestGateway(to, `http://127.0.0.1:${upstream.port}`))
})
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.close()
  await upstream.stop(true)
})

const json = (body: unknown) => ({ body: JSON.stringify(body), type: 'application/json' })
const sse = (body: string) => ({ body, type: 'text/event-stream' })
const tools = ['weather', 'clock'].map((name) => ({ name, schema: { type: 'object', properties: {} } }))
const paths: Record<ChatDialect, string> = {
  anthropic: '/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  gemini: '/v1beta/models/m:streamGenerateContent?alt=sse',
}
const called: Record<ChatDialect, string> = {
  anthropic: 'tool_use',
  'openai-chat': 'tool_calls',
  'openai-responses': 'completed',
  gemini: 'STOP',
}
const limits: Record<ChatDialect, string> = {
  anthropic: 'max_tokens',
  'openai-chat': 'length',
  'openai-responses': 'max_output_tokens',
  gemini: 'MAX_TOKENS',
}

describe.each(pairs)("%s reads %s's answers", (from, to) => {
  const ask = (stream: boolean) =>
    clients[from](gateways.get(to)?.url ?? '', { say: [{ user: 'x' }], tools, stream })

  test.each([false, true])('thinking, text, calls and usage (streamed: %p)', async (stream) => {
    answer = stream ? sse(streams[to]) : json(wholes[to])
    const heard = await ask(stream)
    expect(heard.text).toBe('I look it up.')
    expect(heard.calls).toEqual([
      { name: 'weather', input: { city: 'Zürich 🌍' } },
      { name: 'clock', input: {} },
    ])
    expect(heard.stop).toBe(called[from])
    if (from !== 'openai-chat' || !stream) expect(heard.thinking).toBe('Let me see.')
    expect(heard.usage).toEqual({ input: 100, output: 40, cached: 70, reasoning: 15 })
  })

  test('a whole answer where a stream was asked for', async () => {
    answer = json(wholes[to])
    const heard = await ask(true)
    expect(heard.text).toBe('I look it up.')
    expect(heard.calls.map(({ name }) => name)).toEqual(['weather', 'clock'])
  })

  test('R8: the record reads the same usage from what the client got', () => {
    const translating = translator(from, to)
    translating?.request(requestOf(from), paths[from], new Headers(), { model: null })
    const relay = translating?.relay()
    const first = relay?.push(new TextEncoder().encode(streams[to]))
    const last = relay?.end()
    const out = Buffer.concat([first ?? new Uint8Array(), last ?? new Uint8Array()])
    const read = (dialect: ChatDialect, bytes: Uint8Array) => {
      const reader = dialectNamed(dialect)?.responseReader({ streamed: true, status: 200 })
      reader?.push(bytes)
      return reader?.result().usage
    }
    const theirs = read(to, new TextEncoder().encode(streams[to]))
    const ours = read(from, out)
    const all = (usage: typeof ours) => (usage?.input ?? 0) + (usage?.cache_write ?? 0)
    expect(all(ours)).toBe(all(theirs))
    expect(ours).toMatchObject({ cache_read: 70, output: 40, reasoning: 15, final: true })
  })

  test('T7: bytes in any chunking give the same events', () => {
    const bytes = new TextEncoder().encode(streams[to])
    const outputs = [1, 2, 7, 1_000, bytes.length].map((size) => {
      const translating = translator(from, to)
      translating?.request(requestOf(from), paths[from], new Headers(), { model: null })
      const relay = translating?.relay()
      const out: Uint8Array[] = []
      for (let i = 0; i < bytes.length; i += size) {
        const piece = relay?.push(bytes.subarray(i, i + size))
        if (piece) out.push(piece)
      }
      const last = relay?.end()
      if (last) out.push(last)
      return Buffer.concat(out)
        .toString()
        .replace(/"(created|created_at|completed_at)":\d+/g, '')
    })
    expect(new Set(outputs).size).toBe(1)
    expect(outputs[0]).toContain('🌍')
  })

  test('a refusal', async () => {
    answer = json(refusals[to])
    const heard = await ask(false)
    // Gemini blocks without a word.
    if (to !== 'gemini') expect(heard.refusal).toBe('I cannot help with that.')
    expect(heard.text).toBe('')
    const stops = { anthropic: 'refusal', gemini: 'SAFETY', 'openai-responses': 'completed' }
    const chat = to === 'gemini' ? 'content_filter' : 'stop'
    expect(heard.stop).toBe(from === 'openai-chat' ? chat : stops[from])
  })

  test('an answer that met its limit', async () => {
    answer = json(cutShort[to])
    const heard = await ask(false)
    expect(heard.text).toBe('Half')
    expect(heard.stop).toBe(limits[from])
  })

  test('malformed JSON, events and empty bodies are errors', async () => {
    for (const broken of [json('no object'), sse('data: {"half\n\n'), sse('')]) {
      answer = broken
      const stream = broken.type !== 'application/json'
      const failure = await ask(stream).then(
        (heard) => heard.stop,
        (error: unknown) => error,
      )
      if (failure === 'failed') expect(from).toBe('openai-responses')
      else expect(failure).toBeInstanceOf(Error)
    }
  })
})

/** A streaming request of a dialect. */
function requestOf(dialect: ChatDialect): Uint8Array {
  const messages = [{ role: 'user', content: 'x' }]
  const bodies: Record<ChatDialect, unknown> = {
    anthropic: { model: 'm', max_tokens: 9, stream: true, messages },
    'openai-chat': { model: 'm', stream: true, stream_options: { include_usage: true }, messages },
    'openai-responses': { model: 'm', stream: true, input: 'x' },
    gemini: { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
  }
  return new TextEncoder().encode(JSON.stringify(bodies[dialect]))
}

test('an empty answer is one; an object that has no place for any is malformed', () => {
  const empty: Record<ChatDialect, object> = {
    anthropic: { content: [] },
    'openai-chat': { choices: [{ message: {} }] },
    'openai-responses': { output: [] },
    gemini: { usageMetadata: { promptTokenCount: 1 } },
  }
  for (const [from, to] of pairs) {
    const said = (body: object) => translator(from, to)?.response(Buffer.from(JSON.stringify(body)), 200)
    expect(said(empty[to])?.warnings).toEqual([])
    for (const odd of [{}, { detail: 'no' }, { content: 'x', choices: {}, output: 5, candidates: 'x' }])
      expect(() => said(odd)).toThrow(/neither an answer of .* nor an error/)
  }
})
