import { type Json, object, objects, word } from './json.ts'
import { mediaKey, type Part } from './message.ts'

/** The content of a message in either of OpenAI's dialects: a string or parts. Reasoning has no part. */
export function openaiParts(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objects(content).flatMap(contentPart)
}

function contentPart(part: Json): Part[] {
  const text = word(part.text) ?? word(part.refusal)
  if (text !== null) return [{ kind: 'text', text }]
  const type = word(part.type) ?? ''
  if (type.includes('image')) return [{ kind: 'media', label: 'image', key: imageKey(part) }]
  if (type.includes('audio')) {
    return [{ kind: 'media', label: 'audio', key: mediaKey(word(object(part.input_audio)?.data) ?? '') }]
  }
  if (type.includes('file')) {
    const file = object(part.file) ?? part
    const key = word(file.file_data) ?? word(file.file_id) ?? word(file.file_url) ?? ''
    return [{ kind: 'media', label: 'document', key: mediaKey(key) }]
  }
  return []
}

/** What a tool answered: a string, parts, or JSON. */
export function outputText(output: unknown): string {
  if (typeof output === 'string') return output
  if (Array.isArray(output)) {
    return openaiParts(output)
      .map((part) => (part.kind === 'text' ? part.text : part.kind === 'media' ? `[${part.label}]` : ''))
      .join('\n')
  }
  return output === undefined || output === null ? '' : JSON.stringify(output)
}

export function openaiRole(role: unknown): 'system' | 'assistant' | 'tool' | 'user' {
  if (role === 'system' || role === 'developer') return 'system'
  if (role === 'tool' || role === 'function') return 'tool'
  return role === 'assistant' ? 'assistant' : 'user'
}

function imageKey(part: Json): string {
  const url = word(part.image_url) ?? word(object(part.image_url)?.url)
  return mediaKey(url ?? word(part.file_id) ?? '')
}
