import { afterAll, beforeAll, expect, test } from 'bun:test'
import Anthropic from '@anthropic-ai/sdk'
import { interpret } from '#llm'
import type { OpenMoney } from '../../../src/llm/money/open-money.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import type { Script } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway } from '../routing/support.ts'
import { plantBudget, testMoney } from './support.ts'

/** Calls whose provider counts otherwise than their client: its own counts are the only ones. */

let database: TestDatabase
let money: OpenMoney
let gateway: RoutedGateway

const chunk = (choices: object[]) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-5', choices })}\n\n`

/** OpenAI tells its counts last: who leaves, or sees it fail, before that hears none. */
const script: Script = async (reply, seen) => {
  await reply.head(200, { 'content-type': 'text/event-stream' })
  await reply.chunk(chunk([{ index: 0, delta: { role: 'assistant', content: 'Once ' } }]))
  if (!seen.body.includes('"fail"')) return
  await reply.chunk('data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n')
  await reply.end()
}

beforeAll(async () => {
  database = await testDatabase()
  money = await testMoney(database.sql)
  await plantBudget(database.sql, { limit_micros: 10_000_000, subject: 'acme' })
  await money.refresh()
  gateway = await routedGateway([script], { money, price: (of) => money.book().price(of) })
  await gateway.route('cross', { candidates: [{ provider: 'openai', model: 'gpt-5' }] })
})

afterAll(async () => {
  await gateway.stop()
  await money.close()
  await database.drop()
})

test.each(['leave', 'fail'])(
  'an Anthropic client whose stream is cut (%s) costs what is known of it, not zero',
  async (how) => {
    const client = new Anthropic({ baseURL: gateway.url, apiKey: 'x', maxRetries: 0 })
    const messages = [
      { role: 'user' as const, content: `${how}${' word'.repeat(6_000)}` },
      { role: 'assistant' as const, content: how },
    ]
    const { data, response } = await client.messages
      .create({ model: 'claude-haiku-4-5', max_tokens: 50, stream: true, messages })
      .withResponse()
    await (async () => {
      for await (const { type } of data)
        if (type === 'content_block_delta' && how === 'leave') data.controller.abort()
    })().catch(() => {})
    const record = await gateway.record(response)
    // Nobody counted: that is not known, and not nothing.
    expect(interpret(record)).toMatchObject({ usage: null, cost: null })
    // 30 KB are at least 7,500 tokens, at 1.25 USD a million; what the provider failed at it does not bill.
    if (how === 'leave') expect(record.end.charged_micros).toBeGreaterThan(9_000)
    else expect(record.end.charged_micros).toBe(0)
  },
)
