import { type Json, list, object, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { effortOf } from '../effort.ts'
import type { Format, ModelRequest, Reasoning, Tool, ToolChoice, Turn } from '../model.ts'
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
import { cacheMark, readContent } from './content-read.ts'

const fields: Fields = {
  model: 'read',
  messages: 'read',
  system: 'read',
  max_tokens: 'read',
  stream: 'read',
  temperature: 'read',
  top_p: 'read',
  top_k: 'read',
  stop_sequences: 'read',
  tools: 'read',
  tool_choice: 'read',
  thinking: 'read',
  output_config: 'read',
  output_format: 'read',
  metadata: 'read',
  cache_control: 'read',
  service_tier: 'service-tier',
  speed: 'service-tier',
  container: 'container',
  mcp_servers: 'server-tool',
  context_management: 'truncation',
  inference_geo: 'region',
  diagnostics: 'diagnostics',
  thread: 'stored-state',
  fallbacks: 'truncation',
}

export function readRequest(body: Json, context: Context): ModelRequest {
  loseUnread(body, fields, context)
  const output = object(body.output_config)
  return {
    model: requiredWord(body.model, 'model'),
    stream: body.stream === true,
    turns: withCache(readTurns(body, context), body),
    tools: readTools(body, context),
    toolChoice: readChoice(body.tool_choice, context),
    parallel: readParallel(body.tool_choice),
    maxTokens: number(body.max_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    topK: number(body.top_k),
    stop: list(body.stop_sequences).map(String),
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    reasoning: readReasoning(object(body.thinking), word(output?.effort)),
    // `output_format` is how the beta of structured output said it.
    format: readFormat(object(output?.format) ?? object(body.output_format)),
    user: word(object(body.metadata)?.user_id),
    openai: {},
  }
}

function readTurns(body: Json, context: Context): Turn[] {
  const system = readContent(body.system, context)
  const turns = requiredList(body.messages, 'messages').map((message, index): Turn => {
    const { role } = message
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      invalid(`role of messages[${index}] must be user, assistant or system`)
    }
    if (message.content === undefined) invalid(`messages[${index}] has no content`)
    return { role, parts: readContent(message.content, context) }
  })
  return system.length === 0 ? turns : [{ role: 'system', parts: system }, ...turns]
}

/** `cache_control` of the whole request marks its last block. */
function withCache(turns: Turn[], body: Json): Turn[] {
  const { cache } = cacheMark(body)
  const last = turns.at(-1)?.parts.at(-1)
  if (cache !== undefined && last !== undefined && 'kind' in last) Object.assign(last, { cache })
  return turns
}

function readTools(body: Json, context: Context): Tool[] {
  if (body.tools === undefined || body.tools === null) return []
  const forced = word(object(body.tool_choice)?.name)
  return requiredList(body.tools, 'tools').flatMap((tool, index): Tool[] => {
    const type = word(tool.type)
    if (type !== null && type !== 'custom') {
      if (forced !== null && forced === tool.name) context.refuse('forced-server-tool', forced)
      context.lose('server-tool', type)
      return []
    }
    if (tool.input_examples !== undefined || tool.defer_loading === true) context.lose('tool-examples')
    const name = requiredWord(tool.name, `name of tools[${index}]`)
    const schema = object(tool.input_schema)
    if (schema === null) context.refuse('invalid-schema', name)
    return [
      { name, description: word(tool.description), schema, strict: boolean(tool.strict), ...cacheMark(tool) },
    ]
  })
}

function readChoice(value: unknown, context: Context): ToolChoice | null {
  const choice = object(value)
  if (choice === null) return null
  if (choice.type === 'auto' || choice.type === 'any' || choice.type === 'none') return { kind: choice.type }
  if (choice.type === 'tool') return { kind: 'tool', name: requiredWord(choice.name, 'name of tool_choice') }
  return context.refuse('unknown-part', `tool_choice ${text(choice.type)}`)
}

function readParallel(choice: unknown): boolean | null {
  const disabled = boolean(object(choice)?.disable_parallel_tool_use)
  return disabled === null ? null : !disabled
}

function readReasoning(thinking: Json | null, effort: string | null): Reasoning | null {
  if (thinking === null && effort === null) return null
  if (thinking?.type === 'disabled') return { effort: 'none', budget: null, visible: false }
  const visible = thinking !== null && thinking.display !== 'omitted'
  return { effort: effortOf(effort), budget: number(thinking?.budget_tokens), visible }
}

function readFormat(format: Json | null): Format | null {
  if (format?.type !== 'json_schema') return null
  const schema = requiredObject(format.schema, 'schema of the output format')
  return { kind: 'schema', name: 'answer', description: null, schema, strict: null }
}
