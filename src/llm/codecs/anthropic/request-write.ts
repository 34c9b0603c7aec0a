import type { Json } from '../../dialects/json.ts'
import type { Context, Outgoing } from '../codec.ts'
import type { ModelRequest, Tool, ToolChoice, Turn } from '../model.ts'
import { claudeFacts } from '../model-facts.ts'
import { loseOpenai } from '../openai-fields.ts'
import { closed } from '../schema.ts'
import { joinTurns, splitSystem, systemAsUser } from '../turns.ts'
import { marked, writeContent } from './content-write.ts'
import { writeThinkingFields } from './thinking.ts'

/** The oldest version there is: every server of this dialect knows it, and older models keep `temperature`. */
const version = '2023-06-01'

export function writeRequest(request: ModelRequest, context: Context): Outgoing {
  const { thinking, effort, maxTokens } = writeThinkingFields(request, context)
  const { system, rest } = splitSystem(request.turns)
  const instructions = [...writeContent(system, context), ...jsonInstruction(request, context)]
  const format = outputFormat(request, context)
  const output = { ...(effort === undefined ? {} : { effort }), ...(format === null ? {} : { format }) }
  loseParameters(request, context)
  const body: Json = {
    model: request.model,
    max_tokens: maxTokens,
    ...(instructions.length > 0 ? { system: instructions } : {}),
    messages: writeTurns(rest, request, context),
    ...(request.stream ? { stream: true } : {}),
    ...sampling(request, context, thinking !== undefined && thinking.type !== 'disabled'),
    ...(request.stop.length > 0 ? { stop_sequences: request.stop } : {}),
    ...(thinking === undefined ? {} : { thinking }),
    ...(Object.keys(output).length > 0 ? { output_config: output } : {}),
    ...tools(request, context),
    ...(request.user === null ? {} : { metadata: { user_id: request.user } }),
  }
  return { path: '/v1/messages', body, headers: { 'anthropic-version': version } }
}

function writeTurns(turns: readonly Turn[], { model }: ModelRequest, context: Context): Json[] {
  const { lateSystem } = claudeFacts(model)
  const placed = turns.flatMap((turn, index) => {
    if (turn.role !== 'system' && turn.role !== 'developer') return [turn]
    const follows = turns[index - 1]?.role === 'user'
    return lateSystem && follows ? [{ ...turn, role: 'system' as const }] : systemAsUser([turn], context)
  })
  return joinTurns(placed).flatMap(({ role, parts }) => {
    const content = writeContent(parts, context)
    return content.length === 0 ? [] : [{ role, content }]
  })
}

function tools({ tools, toolChoice, parallel }: ModelRequest, context: Context): Json {
  if (tools.length === 0) return {}
  const offered =
    toolChoice?.kind === 'among' ? tools.filter(({ name }) => toolChoice.names.includes(name)) : tools
  if (toolChoice?.kind === 'among') context.lose('tools-among')
  const choice = writeChoice(toolChoice, context)
  const single = parallel === false ? { disable_parallel_tool_use: true } : {}
  return {
    tools: offered.map((tool) => writeTool(tool, context)),
    ...(choice === null && parallel !== false
      ? {}
      : { tool_choice: { ...(choice ?? { type: 'auto' }), ...(choice?.type === 'none' ? {} : single) } }),
  }
}

function writeTool(tool: Tool, context: Context): Json {
  if (tool.schema === null) context.lose('custom-tool')
  const free = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }
  // `type` is required at the top, which OpenAI's schemas may leave out.
  const schema = tool.schema === null ? free : { type: 'object', ...tool.schema }
  return {
    name: context.names.out(tool.name),
    ...(tool.description === null ? {} : { description: tool.description }),
    input_schema: schema,
    ...marked(tool.cache),
  }
}

function writeChoice(choice: ToolChoice | null, context: Context): Json | null {
  if (choice === null) return null
  if (choice.kind === 'tool') return { type: 'tool', name: context.names.out(choice.name) }
  if (choice.kind === 'among') return { type: choice.must ? 'any' : 'auto' }
  return { type: choice.kind }
}

/** Newer models refuse all of it; while thinking, the others take no other temperature than 1. */
function sampling(request: ModelRequest, context: Context, thinks: boolean): Json {
  const { sampling } = claudeFacts(request.model)
  const takes = sampling && !thinks
  const { temperature, topP, topK } = request
  if (!takes && temperature !== null && temperature !== 1) context.lose('temperature')
  if (!takes && topP !== null && topP !== 1) context.lose('top-p')
  if (!takes && topK !== null) context.lose('top-k')
  if (!takes) return {}
  if (temperature !== null && temperature > 1) context.lose('temperature-range', '1')
  return {
    ...(temperature === null ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(topK === null ? {} : { top_k: topK }),
  }
}

function outputFormat({ format }: ModelRequest, context: Context): Json | null {
  if (format?.kind !== 'schema') return null
  return { type: 'json_schema', schema: closed(format.schema, () => context.lose('schema-adapted')) }
}

function jsonInstruction({ format }: ModelRequest, context: Context): Json[] {
  if (format?.kind !== 'json') return []
  context.lose('json-mode')
  return [{ type: 'text', text: 'Answer with one JSON object and nothing else.' }]
}

function loseParameters(request: ModelRequest, context: Context): void {
  if (request.seed !== null) context.lose('seed')
  if (request.frequencyPenalty || request.presencePenalty) context.lose('penalties')
  if (request.tools.some(({ strict }) => strict === true)) context.lose('strict-tool')
  loseOpenai(request.openai, context)
}
