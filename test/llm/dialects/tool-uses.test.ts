import { expect, test } from 'bun:test'
import { data, readBody, sse } from './reading.ts'

const input = {
  type: 'content_block_delta',
  index: 1,
  delta: { type: 'input_json_delta', partial_json: '{}' },
}
const message = { role: 'assistant', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } }
const call = { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{}' } }
const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'search', arguments: '{}' }
const part = { functionCall: { id: 'gem_1', name: 'search', args: {} } }

const answers: [dialect: string, how: string, body: string, id: string][] = [
  [
    'anthropic',
    'whole',
    JSON.stringify({
      ...message,
      type: 'message',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'search', input: {} }],
    }),
    'toolu_1',
  ],
  [
    'anthropic',
    'streamed',
    sse([
      { type: 'message_start', message },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'search', input: {} },
      },
      input,
    ] as { type: string }[]),
    'toolu_1',
  ],
  ['openai-chat', 'whole', JSON.stringify({ choices: [{ message: { tool_calls: [call] } }] }), 'call_1'],
  [
    'openai-chat',
    'streamed',
    data([
      { choices: [{ index: 0, delta: { tool_calls: [{ ...call, index: 0 }] } }] },
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: ' ' } }] } }] },
    ]),
    'call_1',
  ],
  [
    'openai-responses',
    'whole',
    JSON.stringify({ object: 'response', status: 'completed', output: [item] }),
    'call_1',
  ],
  [
    'openai-responses',
    'streamed',
    sse([{ type: 'response.output_item.done', output_index: 0, item } as { type: string }]),
    'call_1',
  ],
  ['gemini', 'whole', JSON.stringify({ candidates: [{ content: { parts: [part] } }] }), 'gem_1'],
  ['gemini', 'streamed', data([{ candidates: [{ content: { parts: [part] } }] }]), 'gem_1'],
]

test.each(answers)('of %s, %s, the ids of tool uses are read', (dialect, _, body, id) => {
  expect(readBody(dialect, body).tool_uses).toEqual([{ id, name: 'search' }])
  expect(readBody(dialect, body, 7).tool_uses).toEqual([{ id, name: 'search' }])
})

test('a tool use without an id is none that could be found', () => {
  const bare = JSON.stringify({
    candidates: [{ content: { parts: [{ functionCall: { name: 'search' } }] } }],
  })
  expect(readBody('gemini', bare).tool_uses).toEqual([])
})
