import { expect, test } from 'bun:test'
import type { RecordedExchange } from '#capture'
import { interpret } from '../../../src/llm/interpret.ts'
import { endOf, openOf } from '../../capture/support.ts'

function streamed(dialect: string, provider: string, path: string, events: unknown[]): RecordedExchange {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
  return {
    open: openOf({ dialect, provider, path, method: 'POST', started_at: Date.UTC(2026, 10, 1) }),
    end: {
      ...endOf({ status: 200, response_headers: [['content-type', 'text/event-stream']] }),
      ...{ seq: 1, request_bytes: 0, response_bytes: body.length },
    },
    request: Buffer.from(JSON.stringify({ stream: true, messages: [] })),
    response: Buffer.from(body),
  }
}

test('M2: counts that grow from chunk to chunk are taken as they last were, not summed', () => {
  const anthropic = streamed('anthropic', 'anthropic', '/v1/messages', [
    {
      type: 'message_start',
      message: {
        model: 'claude-haiku-4-5',
        usage: { input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 1 },
      },
    },
    ...[7, 19, 42].map((output_tokens) => ({ type: 'message_delta', delta: {}, usage: { output_tokens } })),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 50 } },
    { type: 'message_stop' },
  ])
  // 10 × 1 + 100 × 0.1 + 50 × 5
  expect(interpret(anthropic).cost?.micros).toBe(270)

  const chat = streamed('openai-chat', 'openai', '/v1/chat/completions', [
    ...[1, 2, 3].map((completion_tokens) => ({
      model: 'gpt-5',
      choices: [{ index: 0, delta: { content: 'a' } }],
      usage: { prompt_tokens: 1000, completion_tokens },
    })),
    { model: 'gpt-5', choices: [], usage: { prompt_tokens: 1000, completion_tokens: 100 } },
  ])
  expect(interpret(chat).cost?.micros).toBe(2_250)

  const gemini = streamed(
    'gemini',
    'gemini',
    '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    [
      ...[10, 60, 99].map((candidatesTokenCount, index) => ({
        modelVersion: 'gemini-2.5-flash',
        candidates: [
          {
            content: { role: 'model', parts: [{ text: 'a' }] },
            ...(index === 2 ? { finishReason: 'STOP' } : {}),
          },
        ],
        usageMetadata: { promptTokenCount: 1111, candidatesTokenCount },
      })),
    ],
  )
  expect(interpret(gemini).cost?.micros).toBe(581)
})
