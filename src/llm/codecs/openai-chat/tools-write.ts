import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { Call, ModelRequest, Tool, ToolChoice } from '../model.ts'
import { isOpenai } from '../model-facts.ts'
import { callId } from '../names.ts'
import { writeCache } from './content-write.ts'

export function writeTools({ tools, toolChoice, parallel, model }: ModelRequest, context: Context): Json {
  if (tools.length === 0) return {}
  return {
    tools: tools.map((tool) => ({
      ...writeTool(tool, model, context),
      ...writeCache(tool.cache, model, context),
    })),
    ...(toolChoice === null ? {} : { tool_choice: writeChoice(toolChoice, model, context) }),
    ...(parallel === null ? {} : { parallel_tool_calls: parallel }),
  }
}

/** Free text stands in the one string of a function where the model's API knows no other tools. */
const free = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

function writeTool(tool: Tool, model: string, context: Context): Json {
  const name = context.names.out(tool.name)
  const described = tool.description === null ? {} : { description: tool.description }
  if (tool.schema === null && isOpenai(model)) return { type: 'custom', custom: { name, ...described } }
  if (tool.schema === null) context.lose('custom-tool')
  const strict = tool.strict === null ? {} : { strict: tool.strict }
  return { type: 'function', function: { name, ...described, parameters: tool.schema ?? free, ...strict } }
}

function writeChoice(choice: ToolChoice, model: string, context: Context): unknown {
  const named = (name: string) =>
    context.custom.has(name) && isOpenai(model)
      ? { type: 'custom', custom: { name: context.names.out(name) } }
      : { type: 'function', function: { name: context.names.out(name) } }
  switch (choice.kind) {
    case 'any':
      return 'required'
    case 'tool':
      return named(choice.name)
    case 'among': {
      const mode = choice.must ? 'required' : 'auto'
      return { type: 'allowed_tools', allowed_tools: { mode, tools: choice.names.map(named) } }
    }
    default:
      return choice.kind
  }
}

export function writeCall(
  call: Call,
  { model, signature }: { model: string; signature?: string | undefined },
  context: Context,
): Json {
  if (call.cache !== undefined) context.lose('cache-control', 'on a call')
  const name = context.names.out(call.name)
  const id = callId(call.id, 'openai-chat')
  if (call.custom && isOpenai(model)) return { id, type: 'custom', custom: { name, input: call.input } }
  const input = call.custom ? JSON.stringify({ input: call.input }) : call.input || '{}'
  const extra = signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }
  return { id, type: 'function', function: { name, arguments: input }, ...extra }
}
