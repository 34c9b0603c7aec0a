import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { Call, ModelRequest, Tool, ToolChoice } from '../model.ts'
import { callId } from '../names.ts'
import { writeCache } from './content-write.ts'

export function writeTools({ tools, toolChoice, parallel, model }: ModelRequest, context: Context): Json {
  if (tools.length === 0) return {}
  return {
    tools: tools.map((tool) => ({ ...writeTool(tool, context), ...writeCache(tool.cache, model, context) })),
    ...(toolChoice === null ? {} : { tool_choice: writeChoice(toolChoice, context) }),
    ...(parallel === null ? {} : { parallel_tool_calls: parallel }),
  }
}

function writeTool(tool: Tool, context: Context): Json {
  const name = context.names.out(tool.name)
  const described = tool.description === null ? {} : { description: tool.description }
  if (tool.schema === null) return { type: 'custom', custom: { name, ...described } }
  const strict = tool.strict === null ? {} : { strict: tool.strict }
  return { type: 'function', function: { name, ...described, parameters: tool.schema, ...strict } }
}

function writeChoice(choice: ToolChoice, context: Context): unknown {
  const named = (name: string) =>
    context.custom.has(name)
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

export function writeCall(call: Call, context: Context, signature?: string): Json {
  if (call.cache !== undefined) context.lose('cache-control', 'on a call')
  const name = context.names.out(call.name)
  const id = callId(call.id, 'openai-chat')
  if (call.custom) return { id, type: 'custom', custom: { name, input: call.input } }
  const extra = signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }
  return { id, type: 'function', function: { name, arguments: call.input || '{}' }, ...extra }
}
