import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { OpenMoney } from '../../../src/llm/money/open-money.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import type { Script } from '../../support/upstream.ts'
import { type TestGateway, testGateway } from '../proxy-support.ts'
import { plantBudget, standing, testMoney } from './support.ts'

let database: TestDatabase
let money: OpenMoney
let gateway: TestGateway

/** An answer of 100 tokens in and 40 out, whole or streamed as it was asked for. */
const script: Script = async (reply, seen) => {
  const body = JSON.parse(seen.body.toString() || '{}') as { stream?: boolean }
  const usage = { input_tokens: 100, output_tokens: 40 }
  if (seen.path.startsWith('/v1/messages') && body.stream) {
    const start = { type: 'message_start', message: { model: 'claude-haiku-4-5', usage } }
    const end = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 40 } }
    const stream = [start, end, { type: 'message_stop' }].map((one) => `data: ${JSON.stringify(one)}\n\n`)
    await reply.head(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
    const packed = gzipSync(stream.join(''))
    for (const part of [packed.subarray(0, 50), packed.subarray(50)]) await reply.chunk(part)
    return reply.end()
  }
  if (seen.path.startsWith('/v1/messages')) {
    return reply.answer(
      200,
      { 'content-type': 'application/json' },
      JSON.stringify({
        ...{
          id: 'a',
          type: 'message',
          role: 'assistant',
          model: 'claude-haiku-4-5',
          stop_reason: 'end_turn',
          usage,
        },
        content: [{ type: 'text', text: 'hello' }],
      }),
    )
  }
  const chunk = { id: 'a', object: 'chat.completion.chunk', model: 'gpt-5' }
  if (body.stream !== true) {
    return reply.answer(
      200,
      { 'content-type': 'application/json' },
      JSON.stringify({
        ...chunk,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 40 },
      }),
    )
  }
  await reply.head(200, { 'content-type': 'text/event-stream' })
  for (let index = 0; index < 12; index++)
    await reply.chunk(
      `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta: { content: 'hello ' } }] })}\n\n`,
    )
  await reply.chunk('data: [DONE]\n\n')
  await reply.end()
}

beforeAll(async () => {
  database = await testDatabase()
  money = await testMoney(database.sql)
  gateway = await testGateway(script, { money, price: (of) => money.book().price(of) })
})

afterAll(async () => {
  await gateway.stop()
  await money.close()
  await database.drop()
})

async function withBudget(limit_micros: number) {
  await database.sql`delete from budgets`
  const budget = await plantBudget(database.sql, { limit_micros, subject: 'acme' })
  await money.refresh()
  return budget
}

const spent = (budget: string) => async (micros: number) => {
  await until(`${micros} are spent`, async () => (await standing(database.sql, budget)).spent === micros)
}

describe('M3: a proxied call under a budget', () => {
  test('is settled by what the answer says it cost, and that stands in the record', async () => {
    const budget = await withBudget(1_000_000)
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'x' })
    const { response } = await client.messages
      .create({ model: 'claude-haiku-4-5', max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] })
      .withResponse()
    // 100 × 1 + 40 × 5
    await spent(budget)(300)
    expect((await gateway.record(response)).end.charged_micros).toBe(300)
  })

  test('that streams without telling its usage is charged by what came, within what was reserved', async () => {
    const budget = await withBudget(1_000_000)
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x' })
    const { data, response } = await client.chat.completions
      .create({ model: 'gpt-5', max_tokens: 50, stream: true, messages: [{ role: 'user', content: 'hi' }] })
      .withResponse()
    for await (const _ of data);
    const { end, request } = await gateway.record(response)
    const output = Math.min(50, Math.ceil(end.response_bytes / 60))
    const micros = Math.floor(Math.ceil(request.byteLength / 3) * 1.25 + output * 10 + 0.5)
    expect(output).toBeGreaterThan(12)
    expect(end.charged_micros).toBe(micros)
    await spent(budget)(micros)
  })

  test('whose stream is packed is metered all the same, before its client sees the end', async () => {
    const budget = await withBudget(1_000_000)
    const body = JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 500, stream: true, messages: [] })
    const answer = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body })
    expect(await answer.text()).toContain('message_stop')
    await spent(budget)(300)
    expect((await gateway.record(answer)).end).toMatchObject({ outcome: 'completed', charged_micros: 300 })
  })

  test('for which too little is left is refused in its dialect, once, before any upstream is asked, on record', async () => {
    await withBudget(500)
    const before = gateway.upstream.seen.length
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'x', maxRetries: 3 })
    const call = client.chat.completions.create({ model: 'gpt-5', max_tokens: 5_000, messages: [] })
    const error = await call.then(
      () => null,
      (thrown) => thrown,
    )
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect([error.status, error.code]).toEqual([402, 'budget_exhausted'])
    expect(error.message).toContain('0.000000 of 0.000500 USD spent')
    expect(gateway.upstream.seen.length).toBe(before)
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: 'x', maxRetries: 3 })
    const other = await anthropic.messages
      .create({ model: 'claude-haiku-4-5', max_tokens: 500, messages: [] })
      .then(
        () => null,
        (thrown) => thrown,
      )
    expect([other.status, other.error.error.type]).toEqual([402, 'billing_error'])
    const refused = () => gateway.records().filter(({ end }) => end.error === 'budget-exhausted')
    await until('the refusals are on record', () => refused().length > 1)
    expect(refused().length).toBe(2)
  })

  test('under a rate limit says what is left, and is refused with 429 and the seconds to wait', async () => {
    await database.sql`delete from budgets`
    await database.sql`insert into rate_limits (id, name, scope, subject, tenant, window_seconds, requests)
      values (gen_random_uuid(), 'ours', 'tenant', 'acme', 'acme', 3600, 1)`
    await money.refresh()
    const body = JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 5, messages: [] })
    const call = () => fetch(`${gateway.url}/v1/messages`, { method: 'POST', body })
    const first = await call()
    expect([first.status, first.headers.get('ratelimit-policy')]).toEqual([200, '"ours-requests";q=1;w=3600'])
    expect(first.headers.get('ratelimit')).toMatch(/^"ours-requests";r=0;t=\d+$/)
    const second = await call()
    expect([second.status, Number(second.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(await second.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    await database.sql`delete from rate_limits`
    await money.refresh()
  })

  test('is not made over a WebSocket', async () => {
    await withBudget(1e9)
    const answer = await fetch(`${gateway.url}/v1/responses`, {
      headers: {
        upgrade: 'websocket',
        connection: 'upgrade',
        'sec-websocket-key': 'x',
        'sec-websocket-version': '13',
      },
    })
    expect(answer.status).toBe(426)
  })
})
