import { type Json, list, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { effortOf } from '../effort.ts'
import type { Format, ModelRequest, Part, Reasoning, Turn } from '../model.ts'
import { sharedFields } from '../openai-fields.ts'
import {
  boolean,
  type Fields,
  invalid,
  loseUnread,
  number,
  requiredList,
  requiredObject,
  requiredWord,
  text,
} from '../reading.ts'
import { resultContent } from '../turns.ts'
import { readContent } from './content-read.ts'
import { readThinking } from './thinking.ts'
import { readCall, readChoice, readTools } from './tools-read.ts'

const fields: Fields = {
  model: 'read',
  messages: 'read',
  stream: 'read',
  stream_options: 'read',
  max_tokens: 'read',
  max_completion_tokens: 'read',
  temperature: 'read',
  top_p: 'read',
  top_k: 'read',
  stop: 'read',
  seed: 'read',
  frequency_penalty: 'read',
  presence_penalty: 'read',
  tools: 'read',
  tool_choice: 'read',
  parallel_tool_calls: 'read',
  reasoning_effort: 'read',
  reasoning: 'read',
  response_format: 'read',
  user: 'read',
  metadata: 'read',
  store: 'read',
  service_tier: 'read',
  verbosity: 'read',
  prompt_cache_key: 'read',
  prompt_cache_retention: 'read',
  prompt_cache_options: 'read',
  safety_identifier: 'read',
  moderation: 'read',
  top_logprobs: 'logprobs',
  logprobs: 'logprobs',
  logit_bias: 'logit-bias',
  prediction: 'prediction',
  audio: 'audio-output',
  web_search_options: 'server-tool',
  functions: 'legacy-functions',
  function_call: 'legacy-functions',
}

export function readRequest(body: Json, context: Context): ModelRequest {
  loseUnread({ ...body, n: null, modalities: null }, fields, context)
  if (typeof body.n === 'number' && body.n > 1) context.lose('several-answers', `n: ${body.n}`)
  if (list(body.modalities).includes('audio')) context.lose('audio-output')
  const { top_logprobs: _, safety_identifier: __, ...shared } = sharedFields(body)
  return {
    model: requiredWord(body.model, 'model'),
    stream: body.stream === true,
    turns: requiredList(body.messages, 'messages').map((message, index) => readTurn(message, index, context)),
    tools: readTools(body, context),
    toolChoice: readChoice(body.tool_choice, context),
    parallel: boolean(body.parallel_tool_calls),
    maxTokens: number(body.max_completion_tokens) ?? number(body.max_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    topK: number(body.top_k),
    stop: typeof body.stop === 'string' ? [body.stop] : list(body.stop).map(String),
    seed: number(body.seed),
    frequencyPenalty: number(body.frequency_penalty),
    presencePenalty: number(body.presence_penalty),
    reasoning: readReasoning(body),
    format: readFormat(object(body.response_format)),
    user: word(body.user) ?? word(body.safety_identifier),
    openai: shared,
  }
}

function readTurn(message: Json, index: number, context: Context): Turn {
  const { role } = message
  if (word(message.name) !== null && role !== 'tool') context.lose('speaker-name')
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, parts: readContent(message.content, context) }
    case 'assistant':
      return { role, parts: readAssistant(message, context) }
    case 'tool':
      return { role: 'user', parts: [readResult(message, index, context)] }
    case 'function':
      return context.refuse('legacy-functions')
    default:
      return invalid(`role of messages[${index}] must be system, developer, user, assistant or tool`)
  }
}

function readAssistant(message: Json, context: Context): Part[] {
  if (object(message.audio) !== null) context.refuse('audio-input', 'earlier audio of the assistant')
  if (object(message.function_call) !== null) context.refuse('legacy-functions')
  const refusal = word(message.refusal)
  return [
    ...readThinking(message),
    ...readContent(message.content, context),
    ...(refusal === null ? [] : [{ kind: 'refusal' as const, text: refusal }]),
    ...objects(message.tool_calls).flatMap(readCall),
  ]
}

function readResult(message: Json, index: number, context: Context): Part {
  const id = requiredWord(message.tool_call_id, `tool_call_id of messages[${index}]`)
  const content = resultContent(readContent(message.content, context), context)
  return { kind: 'result', id, name: word(message.name), content, error: false }
}

/** `reasoning` is OpenRouter's, with an effort or a budget. */
function readReasoning(body: Json): Reasoning | null {
  const own = object(body.reasoning)
  const effort = effortOf(word(body.reasoning_effort) ?? word(own?.effort))
  const budget = number(own?.max_tokens)
  if (effort === null && budget === null) return null
  return { effort, budget, visible: effort !== 'none' && own?.exclude !== true }
}

function readFormat(format: Json | null): Format | null {
  if (format?.type === 'json_object') return { kind: 'json' }
  if (format?.type !== 'json_schema') return null
  const inner = requiredObject(format.json_schema, 'json_schema of response_format')
  return {
    kind: 'schema',
    name: text(inner.name) || 'answer',
    description: word(inner.description),
    schema: requiredObject(inner.schema ?? {}, 'schema of response_format'),
    strict: boolean(inner.strict),
  }
}
