import { describe, expect, test } from 'bun:test'
import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { pairs } from './clients.ts'
import { wholes } from './fixtures.ts'
import { paths, send } from './send.ts'
import { streams } from './stream-fixtures.ts'

type Json = Record<string, unknown>

const hello = [{ role: 'user', content: 'Hello' }]
const results = [
  ['toolu_01', 'call_01', 'weather', 'sunny'],
  ['toolu_02', 'call_02', 'clock', 'noon'],
] as const

/** The next request of a client that got `answer`, as its SDK would send it back. */
function nextTurn(dialect: ChatDialect, answer: Json): Json {
  if (dialect === 'anthropic') {
    const content = (answer.content as Json[]).filter(({ type }) => type === 'tool_use')
    const said = content.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'done' }))
    const messages = [
      ...hello,
      { role: 'assistant', content: answer.content },
      { role: 'user', content: said },
    ]
    return { model: 'm', max_tokens: 9, messages }
  }
  if (dialect === 'openai-chat') {
    const message = (answer.choices as { message: Json }[])[0]?.message ?? {}
    const said = (message.tool_calls as Json[]).map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'done',
    }))
    return { model: 'm', messages: [...hello, message, ...said] }
  }
  if (dialect === 'openai-responses') {
    const output = answer.output as Json[]
    const calls = output.filter(({ type }) => type === 'function_call')
    const said = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'done' }))
    return { model: 'm', input: [...hello, ...output, ...said] }
  }
  const content = (answer.candidates as { content: { parts: Json[] } }[])[0]?.content
  const calls = (content?.parts ?? []).flatMap((part) =>
    part.functionCall ? [part.functionCall as Json] : [],
  )
  const said = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: 'done' } } }))
  return { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }, content, { role: 'user', parts: said }] }
}

/** Where each provider wants what it signed. */
const signed: Record<ChatDialect, string[]> = {
  anthropic: ['"thinking":"Let me see.","signature":"EqQBCg=="', '"redacted_thinking","data":"EmwKAhgB"'],
  'openai-chat': ['"reasoning_content":"Let me see."'],
  'openai-responses': ['"id":"rs_01"', '"encrypted_content":"gAAAAA=="'],
  gemini: ['"thoughtSignature":"CiQBSign"'],
}

describe.each(pairs)('a client of %s', (from, to) => {
  test(`T1: brings signed thinking back to ${to}, and to nobody else`, () => {
    const first = send(from, to, firstTurn(from))
    const next = nextTurn(from, first.answer(wholes[to]).json)
    const { text } = send(from, to, next)
    for (const piece of signed[to]) expect(text).toContain(piece)
    expect(text).not.toContain('sluice:')
    for (const other of ['anthropic', 'openai-chat', 'openai-responses', 'gemini'] as const) {
      if (other === to || other === from) continue
      const elsewhere = send(from, other, next)
      expect(elsewhere.text).not.toMatch(/EqQBCg|gAAAAA|CiQBSign|sluice:|c2x1aWNl/)
      expect(elsewhere.lost.some((feature) => feature.endsWith('-thinking'))).toBe(true)
    }
  })
})

function firstTurn(dialect: ChatDialect): Json {
  if (dialect === 'gemini') return { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
  return dialect === 'openai-responses'
    ? { model: 'm', input: 'Hello' }
    : { model: 'm', max_tokens: 9, messages: hello }
}

test("a signature that came in Anthropic's stream is back in its place", () => {
  const call = send('gemini', 'anthropic', firstTurn('gemini'), {
    path: '/v1beta/models/m:streamGenerateContent',
  })
  const relay = call.relay()
  const pieces = [relay.push(new TextEncoder().encode(streams.anthropic)), relay.end()]
  const chunks = JSON.parse(Buffer.concat(pieces.filter((piece) => piece !== null)).toString())
  const contents = chunks.map((chunk: { candidates: { content: unknown }[] }) => chunk.candidates[0]?.content)
  const said = results.map(([id, , name, text]) => ({
    functionResponse: { id, name, response: { output: text } },
  }))
  const next = {
    contents: [{ role: 'user', parts: [{ text: 'Hello' }] }, ...contents, { role: 'user', parts: said }],
  }
  const { text } = send('gemini', 'anthropic', next)
  for (const piece of signed.anthropic) expect(text).toContain(piece)
})

describe('how much to think', () => {
  const claude = (model: string, more: object) =>
    send('openai-chat', 'anthropic', { model, messages: hello, ...more })

  test('is a budget for older Claude models, with room for the answer', () => {
    expect(claude('claude-sonnet-4-5', { reasoning_effort: 'medium' }).sent).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 8_192 },
      max_tokens: 40_192,
    })
    expect(claude('claude-sonnet-4-5', { reasoning_effort: 'high', max_tokens: 10_000 }).sent).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 8_000 },
      max_tokens: 10_000,
    })
    expect(claude('claude-sonnet-4-5', { reasoning_effort: 'high', max_tokens: 500 }).lost).toEqual([
      'thinking-small',
    ])
    expect(
      claude('claude-3-5-haiku-20241022', { reasoning_effort: 'high', max_tokens: 5 }).sent.thinking,
    ).toBeUndefined()
  })

  test('is an effort for newer ones', () => {
    const { sent } = claude('claude-opus-4-8', { reasoning_effort: 'xhigh' })
    expect(sent.thinking).toEqual({ type: 'adaptive', display: 'summarized' })
    expect(sent.output_config).toEqual({ effort: 'xhigh' })
    expect(claude('claude-sonnet-5', { reasoning_effort: 'none' }).sent.thinking).toEqual({
      type: 'disabled',
    })
    expect(claude('claude-fable-5', { reasoning_effort: 'none' }).lost).toContain('thinking-off')
  })

  test('gives way to a forced tool, and to history without its thinking', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const forced = claude('claude-sonnet-4-5', { reasoning_effort: 'low', tools, tool_choice: 'required' })
    expect(forced.lost).toContain('forced-thinking')
    const messages = [
      ...hello,
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'x' },
    ]
    const open = claude('claude-sonnet-4-5', { reasoning_effort: 'low', tools, messages })
    expect(open.lost).toContain('thinking-history')
    expect(open.sent.thinking).toBeUndefined()
  })

  test('is a level for Gemini 3 and a budget before', () => {
    const gemini = (model: string, budget_tokens: number) =>
      send('anthropic', 'gemini', {
        model,
        max_tokens: 9_999,
        messages: hello,
        thinking: { type: 'enabled', budget_tokens },
      })
    expect(gemini('gemini-3-pro', 31_999).sent.generationConfig).toMatchObject({
      thinkingConfig: { includeThoughts: true, thinkingLevel: 'HIGH' },
    })
    expect(gemini('gemini-2.5-flash', 2_000).sent.generationConfig).toMatchObject({
      thinkingConfig: { includeThoughts: true, thinkingBudget: 2_000 },
    })
  })

  test.each(['low', 'medium', 'high', 'xhigh'])('%s is the same effort after a budget', (effort) => {
    const body = { model: 'claude-sonnet-4-5', messages: hello, reasoning_effort: effort }
    const back = send('anthropic', 'openai-chat', send('openai-chat', 'anthropic', body).sent)
    expect(back.sent.reasoning_effort).toBe(effort)
  })

  test("is not asked of OpenAI's models that do not reason", () => {
    const body = { model: 'gpt-4.1', max_tokens: 9, messages: hello, thinking: { type: 'adaptive' } }
    for (const to of ['openai-chat', 'openai-responses'] as const) {
      const { text, lost } = send('anthropic', to, body)
      expect(text).not.toContain('reasoning')
      expect(lost).toEqual(['thinking-unknown'])
    }
  })

  test('asks OpenAI for thinking that can come back', () => {
    const body = {
      model: 'gpt-5.1',
      max_tokens: 9_999,
      messages: hello,
      thinking: { type: 'enabled', budget_tokens: 2_000 },
    }
    expect(send('anthropic', 'openai-responses', body).sent).toMatchObject({
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      store: false,
    })
  })
})

test('Gemini 3 is told which calls are not its own', () => {
  const [call] = [{ type: 'tool_use', id: 'a', name: 'f', input: {} }]
  const messages = [
    ...hello,
    { role: 'assistant', content: [call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x' }] },
  ]
  const { sent } = send('anthropic', 'gemini', { model: 'gemini-3-flash', max_tokens: 9, messages })
  expect(JSON.stringify(sent.contents)).toContain('"thoughtSignature":"skip_thought_signature_validator"')
  expect(paths.gemini).toContain('2.5')
})
