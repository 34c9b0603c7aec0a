import { type Json, list, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { effortOf } from '../effort.ts'
import type { Format, ModelRequest, Reasoning, Tool, ToolChoice, Turn } from '../model.ts'
import { customTool, functionTool } from '../openai-chat/tools-read.ts'
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
import { joinTurns } from '../turns.ts'
import { readItem } from './items-read.ts'

const fields: Fields = {
  model: 'read',
  input: 'read',
  instructions: 'read',
  stream: 'read',
  stream_options: 'read',
  max_output_tokens: 'read',
  temperature: 'read',
  top_p: 'read',
  tools: 'read',
  tool_choice: 'read',
  parallel_tool_calls: 'read',
  reasoning: 'read',
  text: 'read',
  user: 'read',
  metadata: 'read',
  store: 'read',
  service_tier: 'read',
  prompt_cache_key: 'read',
  prompt_cache_retention: 'read',
  prompt_cache_options: 'read',
  safety_identifier: 'read',
  moderation: 'read',
  top_logprobs: 'read',
  // What clients ask for here is a matter of OpenAI's own answers.
  include: 'read',
  previous_response_id: 'stored-state',
  conversation: 'stored-state',
  prompt: 'stored-state',
  background: 'background',
  max_tool_calls: 'tool-limit',
  truncation: 'truncation',
  context_management: 'truncation',
  image: 'image-output',
  client_metadata: 'metadata',
}

export function readRequest(body: Json, context: Context): ModelRequest {
  loseUnread(body, fields, context)
  const extra = list(body.include).filter((one) => one !== 'reasoning.encrypted_content')
  if (extra.length > 0) context.lose('include', extra.join(', '))
  const instructions = word(body.instructions)
  const turns = readInput(body.input, context)
  const verbosity = object(body.text)?.verbosity
  return {
    model: requiredWord(body.model, 'model'),
    stream: body.stream === true,
    turns:
      instructions === null
        ? turns
        : [{ role: 'system', parts: [{ kind: 'text', text: instructions }] }, ...turns],
    tools: readTools(body, context),
    toolChoice: readChoice(body.tool_choice, context),
    parallel: boolean(body.parallel_tool_calls),
    maxTokens: number(body.max_output_tokens),
    temperature: number(body.temperature),
    topP: number(body.top_p),
    topK: null,
    stop: [],
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    reasoning: readReasoning(object(body.reasoning)),
    format: readFormat(object(object(body.text)?.format)),
    user: word(body.user) ?? word(body.safety_identifier),
    openai: { ...sharedFields({ ...body, safety_identifier: null }), ...(verbosity ? { verbosity } : {}) },
  }
}

/** What the model said at once comes as many items: they are one turn again. Instructions stay apart. */
function readInput(input: unknown, context: Context): Turn[] {
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }]
  if (!Array.isArray(input)) invalid('input must be text or a list of items')
  const turns = requiredList(input, 'input').flatMap((item, index) => readItem(item, index, context) ?? [])
  return joinTurns(turns)
}

function readTools(body: Json, context: Context): Tool[] {
  if (body.tools === undefined || body.tools === null) return []
  const forced = object(body.tool_choice)?.type
  return requiredList(body.tools, 'tools').flatMap((tool, index) => {
    if (tool.type === 'function') return [functionTool(tool, `tools[${index}]`, context)]
    if (tool.type === 'custom') {
      return [customTool(requiredWord(tool.name, `name of tools[${index}]`), tool, context)]
    }
    if (forced !== undefined && forced === tool.type) context.refuse('forced-server-tool', text(forced))
    context.lose('server-tool', text(tool.type))
    return []
  })
}

function readChoice(value: unknown, context: Context): ToolChoice | null {
  if (value === 'auto' || value === 'none') return { kind: value }
  if (value === 'required') return { kind: 'any' }
  const choice = object(value)
  if (choice === null) return null
  if (choice.type === 'function' || choice.type === 'custom') {
    return { kind: 'tool', name: requiredWord(choice.name, 'name of tool_choice') }
  }
  if (choice.type !== 'allowed_tools') return context.refuse('forced-server-tool', text(choice.type))
  const names = objects(choice.tools).flatMap((tool) => word(tool.name) ?? [])
  return { kind: 'among', names, must: choice.mode === 'required' }
}

function readReasoning(reasoning: Json | null): Reasoning | null {
  if (reasoning === null) return null
  const effort = effortOf(word(reasoning.effort))
  const visible = (word(reasoning.summary) ?? word(reasoning.generate_summary)) !== null
  return effort === null && !visible ? null : { effort, budget: null, visible }
}

function readFormat(format: Json | null): Format | null {
  if (format?.type === 'json_object') return { kind: 'json' }
  if (format?.type !== 'json_schema') return null
  return {
    kind: 'schema',
    name: text(format.name) || 'answer',
    description: word(format.description),
    schema: requiredObject(format.schema, 'schema of text.format'),
    strict: boolean(format.strict),
  }
}
