import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { Part, Tool, ToolChoice } from '../model.ts'
import { boolean, requiredList, requiredObject, requiredWord, text } from '../reading.ts'
import { breakpoint } from './content-read.ts'

export function readTools(body: Json, context: Context): Tool[] {
  if (body.tools === undefined || body.tools === null) return []
  return requiredList(body.tools, 'tools').flatMap((tool, index) => {
    if (tool.type === 'custom') {
      const custom = requiredObject(tool.custom, `custom of tools[${index}]`)
      return [customTool(requiredWord(custom.name, `name of tools[${index}]`), custom, context)]
    }
    if (tool.type !== 'function') {
      context.lose('server-tool', text(tool.type))
      return []
    }
    const inner = requiredObject(tool.function, `function of tools[${index}]`)
    return [{ ...functionTool(inner, `tools[${index}]`, context), ...breakpoint(tool) }]
  })
}

/** A tool with parameters, as both of OpenAI's dialects define it. */
export function functionTool(tool: Json, where: string, context: Context): Tool {
  const name = requiredWord(tool.name, `name of ${where}`)
  const schema = tool.parameters ?? { type: 'object', properties: {} }
  const read = object(schema)
  if (read === null || (read.type !== undefined && read.type !== 'object'))
    context.refuse('invalid-schema', name)
  return { name, description: word(tool.description), schema: read, strict: boolean(tool.strict) }
}

/** A tool that takes free text, perhaps under a grammar. */
export function customTool(name: string, tool: Json, context: Context): Tool {
  context.custom.add(name)
  const grammar = object(object(tool.format)?.grammar) ?? object(tool.format)
  const rule = word(grammar?.definition)
  const description = [
    word(tool.description),
    rule === null ? null : `The input follows this grammar:\n${rule}`,
  ]
  return { name, description: description.filter(Boolean).join('\n\n') || null, schema: null, strict: null }
}

export function readChoice(value: unknown, context: Context): ToolChoice | null {
  if (value === 'auto' || value === 'none') return { kind: value }
  if (value === 'required') return { kind: 'any' }
  const choice = object(value)
  if (choice === null) return null
  const name = word(object(choice.function)?.name) ?? word(object(choice.custom)?.name)
  if (name !== null) return { kind: 'tool', name }
  const allowed = object(choice.allowed_tools)
  if (allowed === null) return context.refuse('unknown-part', `tool_choice ${text(choice.type)}`)
  const names = objects(allowed.tools).map(
    (tool) => text(object(tool.function)?.name) || text(object(tool.custom)?.name) || text(tool.name),
  )
  return { kind: 'among', names, must: allowed.mode === 'required' }
}

export function readCall(call: Json): Part[] {
  const custom = object(call.custom)
  const inner = custom ?? object(call.function) ?? {}
  const name = word(inner.name)
  if (name === null) return []
  const input = custom === null ? text(inner.arguments) : text(inner.input)
  const signature = word(object(object(call.extra_content)?.google)?.thought_signature)
  return [
    // Gemini's own chat endpoint puts the signature of a call beside it.
    ...(signature === null
      ? []
      : [
          {
            kind: 'thinking' as const,
            text: '',
            seal: { by: 'gemini' as const, data: signature, redacted: false },
          },
        ]),
    { kind: 'call', id: text(call.id), name, input, ...(custom === null ? {} : { custom: true }) },
  ]
}
