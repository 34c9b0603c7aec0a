import { type Json, list, object, word } from './json.ts'
import type { Part } from './message.ts'
import { openaiParts, openaiRole, outputText } from './openai-content.ts'

/** Who speaks in an item: a tool by its output, the assistant by whatever it called. */
export function itemRole(item: Json): 'system' | 'assistant' | 'tool' | 'user' {
  const type = itemType(item)
  if (type === 'message') return openaiRole(item.role)
  return isOutput(type) ? 'tool' : 'assistant'
}

/**
 * The parts of an item, as the model answered it and as the client resends it. Null where there is nothing to
 * read: reasoning, references to items that the server keeps, lists of tools.
 */
export function itemParts(item: Json): Part[] | null {
  const type = itemType(item)
  if (type === 'message') return openaiParts(item.content)
  if (isOutput(type)) return [{ kind: 'result', text: outputText(item.output ?? item.tools) }]
  if (type === 'function_call' || type === 'mcp_call') return call(item.name, item.arguments, item)
  if (type === 'custom_tool_call') return call(item.name, item.input, item)
  if (type === 'code_interpreter_call') return call('code_interpreter', { code: item.code })
  if (type === 'web_search_call' || type.endsWith('shell_call') || type === 'computer_call') {
    return call(type.replace(/_call$/, ''), object(item.action) ?? list(item.actions))
  }
  if (type === 'apply_patch_call') return call('apply_patch', object(item.operation) ?? {})
  if (type === 'file_search_call') return call('file_search', { queries: list(item.queries) })
  if (type === 'tool_search_call') return call('tool_search', item.arguments ?? {})
  if (type === 'image_generation_call') return [{ kind: 'media', label: 'image', key: word(item.id) ?? '' }]
  return null
}

/** `type` may be left out of a message. */
function itemType(item: Json): string {
  return word(item.type) ?? (item.role === undefined ? '' : 'message')
}

function isOutput(type: string): boolean {
  return type.endsWith('_call_output') || type === 'tool_search_output'
}

function call(name: unknown, input: unknown, item: Json = {}): Part[] {
  return [{ kind: 'call', name: word(name) ?? '', input: input ?? '', id: word(item.call_id) }]
}
