import { type Json, object, objects, word } from './json.ts'
import { mediaKey, type Part } from './message.ts'

/**
 * Claude Code opens its system prompt with a block for billing that may change from call to call; it says
 * nothing to people, and the model does not see it.
 */
const attribution = 'x-anthropic-billing-header:'

/** The content of a message or of a system prompt: a string or blocks. Thinking has no part. */
export function anthropicParts(content: unknown): Part[] {
  if (typeof content === 'string') return textPart(content)
  return objects(content).flatMap(blockParts)
}

function blockParts(block: Json): Part[] {
  const type = word(block.type) ?? ''
  if (type === 'text') return textPart(word(block.text) ?? '')
  if (type === 'tool_use' || type === 'server_tool_use' || type === 'mcp_tool_use') {
    return [{ kind: 'call', name: word(block.name) ?? '', input: block.input, id: word(block.id) }]
  }
  if (type.endsWith('tool_result')) return [{ kind: 'result', text: resultText(block.content) }]
  if (type === 'image' || type === 'document' || type === 'container_upload') {
    const label = type === 'image' ? 'image' : 'document'
    return [{ kind: 'media', label, key: sourceKey(block) }]
  }
  if (type === 'compaction') return textPart(word(block.content) ?? '')
  if (type === 'search_result') return textPart(resultText(block.content))
  return []
}

function textPart(text: string): Part[] {
  return text === '' || text.startsWith(attribution) ? [] : [{ kind: 'text', text }]
}

/** What a tool answered: text, or blocks, or, of the server's own tools, an object. */
export function resultText(content: unknown): string {
  if (typeof content === 'string') return content
  const blocks = Array.isArray(content) ? objects(content) : [object(content) ?? {}]
  return blocks.map(resultBlockText).filter(Boolean).join('\n')
}

function resultBlockText(block: Json): string {
  if (block.type === 'image') return '[image]'
  if (block.type === 'document') return '[document]'
  const said = word(block.text) ?? word(block.stdout) ?? word(block.url) ?? word(block.error_code)
  return said ?? (block.content === undefined ? '' : resultText(block.content))
}

function sourceKey(block: Json): string {
  const source = object(block.source)
  return mediaKey(word(source?.data) ?? word(source?.url) ?? word(source?.file_id) ?? '')
}
