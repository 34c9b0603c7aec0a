import { afterAll, beforeAll, expect, test } from 'bun:test'
import { interpret } from '#llm'
import type { RecordedExchange } from '../../src/capture/exchange.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { handlerOn, recorded, stored } from './store-support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
}, 60_000)

afterAll(async () => {
  await database.drop()
})

type Block = { type: string; text?: string; cache_control?: object; [key: string]: unknown }
type Message = { role: string; content: Block[] }

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`
}

/** An answer with text and a tool call, as Anthropic streams it. */
function streamed(n: number, blocks: Block[]): string {
  const message = {
    id: `msg_${n}`,
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content: [],
    stop_reason: null,
  }
  const usage = {
    input_tokens: 5,
    cache_read_input_tokens: 100 * n,
    cache_creation_input_tokens: 10,
    output_tokens: 1,
  }
  const deltas = blocks.map(({ text, input, ...block }, index) => [
    event('content_block_start', {
      index,
      content_block: text === undefined ? { ...block, input: {} } : { ...block, text: '' },
    }),
    event('content_block_delta', {
      index,
      delta:
        text === undefined
          ? { type: 'input_json_delta', partial_json: JSON.stringify(input) }
          : { type: 'text_delta', text },
    }),
    event('content_block_stop', { index }),
  ])
  return [
    event('message_start', { message: { ...message, usage } }),
    ...deltas.flat(),
    event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 20 } }),
    event('message_stop', {}),
  ].join('')
}

/** The last two user messages carry the cache marker, so it moves with every call. */
function marked(messages: Message[]): Message[] {
  return messages.map((message, at) =>
    message.role === 'user' && at >= messages.length - 3
      ? {
          ...message,
          content: message.content.map((block) => ({ ...block, cache_control: { type: 'ephemeral' } })),
        }
      : message,
  )
}

function agentCalls(length: number, session: string | null): RecordedExchange[] {
  const messages: Message[] = [{ role: 'user', content: [{ type: 'text', text: 'find the fault' }] }]
  return Array.from({ length }, (_, n) => {
    const request = {
      model: 'claude-sonnet-4-5',
      messages: marked(messages),
      system: [{ type: 'text', text: `Today is day ${n}. You find faults.` }],
      stream: true,
      ...(session === null ? {} : { metadata: { user_id: `user_1_account__session_${session}` } }),
    }
    const blocks = [
      { type: 'text', text: `step ${n}` },
      { type: 'tool_use', id: `toolu_${n}`, name: 'Read', input: { path: `file-${n}.ts` } },
    ]
    const exchange = recorded(Buffer.from(JSON.stringify(request)), Buffer.from(streamed(n, blocks)), {
      open: { provider: 'anthropic', dialect: 'anthropic', path: '/v1/messages' },
      end: { response_headers: [['content-type', 'text/event-stream']] },
    })
    messages.push({ role: 'assistant', content: blocks })
    messages.push({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: `toolu_${n}`, content: `content ${n}` }],
    })
    return exchange
  })
}

for (const session of ['0b6c1f3e-54f0-4c0f-9d5e-2f5f1f0a0001', null]) {
  test(`an agent's streamed calls ${session === null ? 'without' : 'with'} a session are one conversation, each message once`, async () => {
    const exchanges = agentCalls(8, session)
    const handler = handlerOn(database.sql, { interpret })
    for (let at = 0; at < 8; at += 2) await stored(handler, exchanges.slice(at, at + 2))
    const rows = await database.sql`
      select distinct conversation_id from exchanges where id = any(${exchanges.map((one) => one.open.id)}::uuid[])`
    expect(rows.length).toBe(1)
    const id = rows[0]?.conversation_id
    const turns = await database.sql`
      select role, reply from turns where conversation_id = ${id} and role <> 'system' order by number`
    expect(turns.map((turn) => turn.role).filter((role) => role === 'assistant').length).toBe(8)
    expect(turns.length).toBe(16)
    expect(turns.filter((turn) => turn.reply).length).toBe(8)
    const [conversation] = await database.sql`select * from conversations where id = ${id}`
    expect(conversation).toMatchObject({
      exchanges: 8,
      models: ['claude-sonnet-4-5-20250929'],
      output_tokens: 160,
    })
    expect(conversation?.cost_micros).toBeGreaterThan(0)
  })
}
