import { count, type Json, object } from '../dialects/json.ts'
import type { Codec, Context, Outgoing } from './codec.ts'
import { modelPath } from './gemini/request-write.ts'
import type { ChatDialect, ModelRequest } from './model.ts'

/** Does this path ask only for the number of tokens? */
export function asksForCount(path: string): boolean {
  return /(\/messages\/count_tokens|\/responses\/input_tokens|:countTokens)(\?|$)/.test(path)
}

/** The body of a count, as that of the request that it counts. */
export function countedBody(body: Json): Json {
  const inner = object(body.generateContentRequest)
  return { max_tokens: 1, ...(inner ?? body) }
}

/** What is no part of the prompt is refused in a count. */
const counted: Record<'anthropic' | 'openai-responses' | 'gemini', readonly string[]> = {
  anthropic: ['model', 'messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config'],
  'openai-responses': ['model', 'input', 'tools', 'tool_choice', 'reasoning', 'text', 'parallel_tool_calls'],
  gemini: ['contents', 'systemInstruction', 'tools', 'toolConfig'],
}

/** @throws SluiceError 400 where the target cannot count: guessing would be worse. */
export function writeCount(request: ModelRequest, codec: Codec, context: Context): Outgoing {
  const { to } = context
  if (to === 'openai-chat') return context.refuse('count-tokens')
  const whole = codec.writeRequest({ ...request, stream: false, maxTokens: request.maxTokens ?? 1 }, context)
  const body = Object.fromEntries(Object.entries(whole.body).filter(([name]) => counted[to].includes(name)))
  if (to === 'anthropic') return { ...whole, path: '/v1/messages/count_tokens', body }
  if (to === 'openai-responses') return { ...whole, path: '/v1/responses/input_tokens', body }
  const model = `models/${request.model.replace(/^models\//, '')}`
  // Instructions and tools count only inside a whole request.
  const inner = Object.keys(body).length === 1 ? body : { generateContentRequest: { model, ...body } }
  return { path: `${modelPath(request.model)}:countTokens`, body: inner, headers: {} }
}

export function translateCount(body: Json, from: ChatDialect): Json {
  const tokens = count(body.input_tokens) ?? count(body.totalTokens) ?? 0
  if (from === 'gemini') return { totalTokens: tokens }
  if (from === 'anthropic') return { input_tokens: tokens }
  return { object: 'response.input_tokens', input_tokens: tokens }
}
