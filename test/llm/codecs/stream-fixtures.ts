import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { call, wholes } from './fixtures.ts'

const json = JSON.stringify(call)
const named = (event: { type: string }) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
const data = (event: unknown) => `data: ${JSON.stringify(event)}\n\n`
const start = { type: 'content_block_start' }
const delta = { type: 'content_block_delta' }
const stop = { type: 'content_block_stop' }
const chunk = (delta: unknown, finish_reason: string | null = null) =>
  data({ id: 'chatcmpl-01', model: 'deepseek-reasoner', choices: [{ index: 0, delta, finish_reason }] })
const [reasoning, message, weather, clock] = (
  wholes['openai-responses'] as { output: Record<string, unknown>[] }
).output
const geminiChunk = (parts: unknown[], more = {}) =>
  data({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
    responseId: 'r01',
    modelVersion: 'gemini-3-pro',
  })

/** The same answers as streams. */
export const streams: Record<ChatDialect, string> = {
  anthropic: [
    named({
      type: 'message_start',
      ...{
        message: {
          ...(wholes.anthropic as object),
          content: [],
          stop_reason: null,
          usage: {
            input_tokens: 20,
            cache_creation_input_tokens: 10,
            cache_read_input_tokens: 70,
            output_tokens: 1,
          },
        },
      },
    }),
    named({ ...start, ...{ index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } } }),
    named({ type: 'ping' }),
    named({ ...delta, ...{ index: 0, delta: { type: 'thinking_delta', thinking: 'Let me ' } } }),
    named({ ...delta, ...{ index: 0, delta: { type: 'thinking_delta', thinking: 'see.' } } }),
    named({ ...delta, ...{ index: 0, delta: { type: 'signature_delta', signature: 'EqQBCg==' } } }),
    named({ ...stop, ...{ index: 0 } }),
    named({ ...start, ...{ index: 1, content_block: { type: 'redacted_thinking', data: 'EmwKAhgB' } } }),
    named({ ...stop, ...{ index: 1 } }),
    named({ ...start, ...{ index: 2, content_block: { type: 'text', text: '' } } }),
    named({ ...delta, ...{ index: 2, delta: { type: 'text_delta', text: 'I look it up.' } } }),
    named({ ...stop, ...{ index: 2 } }),
    named({
      ...start,
      ...{ index: 3, content_block: { type: 'tool_use', id: 'toolu_01', name: 'weather', input: {} } },
    }),
    named({ ...delta, ...{ index: 3, delta: { type: 'input_json_delta', partial_json: '' } } }),
    named({
      ...delta,
      ...{ index: 3, delta: { type: 'input_json_delta', partial_json: json.slice(0, 12) } },
    }),
    named({ ...delta, ...{ index: 3, delta: { type: 'input_json_delta', partial_json: json.slice(12) } } }),
    named({ ...stop, ...{ index: 3 } }),
    named({
      ...start,
      ...{ index: 4, content_block: { type: 'tool_use', id: 'toolu_02', name: 'clock', input: {} } },
    }),
    named({ ...stop, ...{ index: 4 } }),
    named({
      type: 'message_delta',
      ...{
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 40, output_tokens_details: { thinking_tokens: 15 } },
      },
    }),
    named({ type: 'message_stop' }),
  ].join(''),
  'openai-chat': [
    ': OPENROUTER PROCESSING\n\n',
    chunk({ role: 'assistant', content: '' }),
    chunk({ reasoning_content: 'Let me ' }),
    chunk({ reasoning_content: 'see.' }),
    chunk({ content: 'I look ' }),
    chunk({ content: 'it up.' }),
    chunk({
      tool_calls: [
        { index: 0, id: 'call_01', type: 'function', function: { name: 'weather', arguments: '' } },
      ],
    }),
    // Interleaved: the second call begins before the first one is whole.
    chunk({ tool_calls: [{ index: 0, function: { arguments: json.slice(0, 12) } }] }),
    chunk({
      tool_calls: [
        { index: 1, id: 'call_02', type: 'function', function: { name: 'clock', arguments: '{' } },
      ],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: json.slice(12) } }] }),
    chunk({ tool_calls: [{ index: 1, function: { arguments: '}' } }] }),
    chunk({}, 'tool_calls'),
    data({ id: 'chatcmpl-01', choices: [], usage: (wholes['openai-chat'] as { usage: unknown }).usage }),
    'data: [DONE]\n\n',
  ].join(''),
  'openai-responses': [
    {
      type: 'response.created',
      response: { id: 'resp_01', model: 'gpt-5.6', status: 'in_progress', output: [] },
    },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...reasoning, summary: [], encrypted_content: null },
    },
    { type: 'response.reasoning_summary_part.added', output_index: 0, summary_index: 0, part: {} },
    { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: 'Let me ' },
    { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: 'see.' },
    { type: 'response.output_item.done', output_index: 0, item: reasoning },
    { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
    {
      type: 'response.content_part.added',
      output_index: 1,
      content_index: 0,
      part: { type: 'output_text', text: '' },
    },
    { type: 'response.output_text.delta', output_index: 1, content_index: 0, delta: 'I look it up.' },
    { type: 'response.content_part.done', output_index: 1, content_index: 0, part: {} },
    { type: 'response.output_item.done', output_index: 1, item: message },
    { type: 'response.output_item.added', output_index: 2, item: { ...weather, arguments: '' } },
    { type: 'response.function_call_arguments.delta', output_index: 2, delta: json.slice(0, 12) },
    { type: 'response.function_call_arguments.delta', output_index: 2, delta: json.slice(12) },
    { type: 'response.output_item.done', output_index: 2, item: weather },
    { type: 'response.output_item.added', output_index: 3, item: { ...clock, arguments: '' } },
    { type: 'response.output_item.done', output_index: 3, item: clock },
    { type: 'response.completed', response: wholes['openai-responses'] },
  ]
    .map(named)
    .join(''),
  gemini: [
    geminiChunk([{ text: 'Let me ', thought: true }]),
    geminiChunk([{ text: 'see.', thought: true }]),
    geminiChunk([{ text: 'I look it up.' }]),
    geminiChunk([{ functionCall: { name: 'weather', args: call }, thoughtSignature: 'CiQBSign' }]),
    data({
      ...(wholes.gemini as object),
      candidates: [
        {
          content: { role: 'model', parts: [{ functionCall: { name: 'clock', args: {} } }] },
          finishReason: 'STOP',
          index: 0,
        },
      ],
    }),
  ].join(''),
}
