import type { ChatDialect } from '../../../src/llm/codecs/model.ts'

/** Answers as the providers send them, by hand after their documentation: thinking, text, two calls, usage. */
export const call = { city: 'Zürich 🌍' }

export const wholes: Record<ChatDialect, unknown> = {
  anthropic: {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-4-8',
    content: [
      { type: 'thinking', thinking: 'Let me see.', signature: 'EqQBCg==' },
      { type: 'redacted_thinking', data: 'EmwKAhgB' },
      { type: 'text', text: 'I look it up.', citations: null },
      { type: 'tool_use', id: 'toolu_01', name: 'weather', input: call },
      { type: 'tool_use', id: 'toolu_02', name: 'clock', input: {} },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: {
      input_tokens: 20,
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 70,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 0 },
      output_tokens: 40,
      output_tokens_details: { thinking_tokens: 15 },
    },
  },
  'openai-chat': {
    id: 'chatcmpl-01',
    object: 'chat.completion',
    created: 1_767_225_600,
    model: 'deepseek-reasoner',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'I look it up.',
          reasoning_content: 'Let me see.',
          refusal: null,
          tool_calls: [
            {
              id: 'call_01',
              type: 'function',
              function: { name: 'weather', arguments: JSON.stringify(call) },
            },
            { id: 'call_02', type: 'function', function: { name: 'clock', arguments: '' } },
          ],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: {
      prompt_tokens: 100,
      completion_tokens: 40,
      total_tokens: 140,
      prompt_tokens_details: { cached_tokens: 70, cache_write_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 15 },
    },
  },
  'openai-responses': {
    id: 'resp_01',
    object: 'response',
    created_at: 1_767_225_600,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'gpt-5.6',
    output: [
      {
        id: 'rs_01',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Let me see.' }],
        encrypted_content: 'gAAAAA==',
      },
      {
        id: 'msg_01',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'I look it up.', annotations: [], logprobs: [] }],
      },
      {
        id: 'fc_01',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_01',
        name: 'weather',
        arguments: JSON.stringify(call),
      },
      {
        id: 'fc_02',
        type: 'function_call',
        status: 'completed',
        call_id: 'call_02',
        name: 'clock',
        arguments: '{}',
      },
    ],
    usage: {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 70, cache_write_tokens: 10 },
      output_tokens: 40,
      output_tokens_details: { reasoning_tokens: 15 },
      total_tokens: 140,
    },
  },
  gemini: {
    candidates: [
      {
        content: {
          role: 'model',
          parts: [
            { text: 'Let me see.', thought: true },
            { text: 'I look it up.' },
            { functionCall: { name: 'weather', args: call }, thoughtSignature: 'CiQBSign' },
            { functionCall: { name: 'clock', args: {} } },
          ],
        },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: 100,
      candidatesTokenCount: 25,
      totalTokenCount: 140,
      cachedContentTokenCount: 70,
      thoughtsTokenCount: 15,
    },
    modelVersion: 'gemini-3-pro',
    responseId: 'r01',
  },
}

const [, message] = (wholes['openai-responses'] as { output: Record<string, unknown>[] }).output

/** An answer that the provider refused to give, in its own way. */
export const refusals: Record<ChatDialect, unknown> = {
  anthropic: {
    ...(wholes.anthropic as object),
    content: [],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'bio', explanation: 'I cannot help with that.' },
  },
  'openai-chat': {
    ...(wholes['openai-chat'] as object),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: 'I cannot help with that.' },
        finish_reason: 'stop',
      },
    ],
  },
  'openai-responses': {
    ...(wholes['openai-responses'] as object),
    output: [{ ...message, content: [{ type: 'refusal', refusal: 'I cannot help with that.' }] }],
  },
  gemini: {
    ...(wholes.gemini as object),
    candidates: undefined,
    promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
  },
}

/** An answer that met its limit of tokens. */
export const cutShort: Record<ChatDialect, unknown> = {
  anthropic: {
    ...(wholes.anthropic as object),
    content: [{ type: 'text', text: 'Half' }],
    stop_reason: 'max_tokens',
  },
  'openai-chat': {
    ...(wholes['openai-chat'] as object),
    choices: [{ index: 0, message: { role: 'assistant', content: 'Half' }, finish_reason: 'length' }],
  },
  'openai-responses': {
    ...(wholes['openai-responses'] as object),
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [{ ...message, content: [{ type: 'output_text', text: 'Half', annotations: [] }] }],
  },
  gemini: {
    ...(wholes.gemini as object),
    candidates: [{ content: { parts: [{ text: 'Half' }] }, finishReason: 'MAX_TOKENS' }],
  },
}
