import type { Json } from '../../dialects/json.ts'
import type { Context, Outgoing } from '../codec.ts'
import type { Format, ModelRequest, Tool, ToolChoice } from '../model.ts'
import { isReasoningGpt, refusesReasoning } from '../model-facts.ts'
import { effortAt, sampling, shortUser } from '../openai-chat/request-write.ts'
import { isStrict } from '../schema.ts'
import { writeTurn } from './items-write.ts'

export function writeRequest(request: ModelRequest, context: Context): Outgoing {
  const { model, stream, maxTokens, user, openai } = request
  const { verbosity, ...shared } = openai
  const reasoning = writeReasoning(request, context)
  const format = request.format === null ? {} : { format: writeFormat(request.format) }
  const text = { ...format, ...(verbosity === undefined ? {} : { verbosity }) }
  loseParameters(request, context)
  const body: Json = {
    model,
    input: request.turns.flatMap((turn) => writeTurn(turn, model, context)),
    ...(stream ? { stream: true } : {}),
    ...(maxTokens === null ? {} : { max_output_tokens: Math.max(maxTokens, leastTokens) }),
    ...sampling(request, isReasoningGpt(model), context),
    ...(reasoning === null ? {} : { reasoning }),
    ...(Object.keys(text).length > 0 ? { text } : {}),
    ...writeTools(request, context),
    ...(user === null ? {} : { safety_identifier: shortUser(user) }),
    // The history is sent whole each time: nothing needs to be kept there, and thinking comes back encrypted.
    store: false,
    ...(reasoning !== null || isReasoningGpt(model) ? { include: ['reasoning.encrypted_content'] } : {}),
    ...shared,
  }
  return { path: '/v1/responses', body, headers: {} }
}

/** The API refuses less. */
const leastTokens = 16

function writeReasoning(request: ModelRequest, context: Context): Json | null {
  const { reasoning, model } = request
  const effort = effortAt(request, context)
  if (reasoning === null || refusesReasoning(model)) return null
  const summary = reasoning.visible && effort !== 'none' ? { summary: 'auto' } : {}
  const written = { ...(effort === null ? {} : { effort }), ...summary }
  return Object.keys(written).length === 0 ? null : written
}

function writeTools({ tools, toolChoice, parallel }: ModelRequest, context: Context): Json {
  if (tools.length === 0) return {}
  return {
    tools: tools.map((tool) => writeTool(tool, context)),
    ...(toolChoice === null ? {} : { tool_choice: writeChoice(toolChoice, context) }),
    ...(parallel === null ? {} : { parallel_tool_calls: parallel }),
  }
}

/** Strict is what this API does where nothing is said, and no other does. */
function writeTool(tool: Tool, context: Context): Json {
  const name = context.names.out(tool.name)
  const described = tool.description === null ? {} : { description: tool.description }
  if (tool.cache !== undefined) context.lose('cache-control', 'on a tool')
  if (tool.schema === null) return { type: 'custom', name, ...described }
  return { type: 'function', name, ...described, parameters: tool.schema, strict: tool.strict ?? false }
}

function writeChoice(choice: ToolChoice, context: Context): unknown {
  const named = (name: string) => ({
    type: context.custom.has(name) ? 'custom' : 'function',
    name: context.names.out(name),
  })
  switch (choice.kind) {
    case 'any':
      return 'required'
    case 'tool':
      return named(choice.name)
    case 'among':
      return {
        type: 'allowed_tools',
        mode: choice.must ? 'required' : 'auto',
        tools: choice.names.map(named),
      }
    default:
      return choice.kind
  }
}

function writeFormat(format: Format): Json {
  if (format.kind === 'json') return { type: 'json_object' }
  const { name, description, schema, strict } = format
  return {
    type: 'json_schema',
    name,
    ...(description === null ? {} : { description }),
    schema,
    // The other dialects always hold the model to the schema; this one only where it is strict.
    strict: strict ?? isStrict(schema),
  }
}

function loseParameters(request: ModelRequest, context: Context): void {
  if (request.stop.length > 0) context.lose('stop')
  if (request.seed !== null) context.lose('seed')
  if (request.frequencyPenalty || request.presencePenalty) context.lose('penalties')
}
