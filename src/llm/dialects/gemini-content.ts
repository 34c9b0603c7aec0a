import { canonicalJson, type Json, object, objects, word } from './json.ts'
import { append, mediaKey, type Part } from './message.ts'

/** The parts of a content. Thoughts have none; pieces of one text, as a stream carries it, become one. */
export function geminiParts(parts: unknown): Part[] {
  const read: Part[] = []
  for (const part of objects(parts)) addPart(read, part)
  return read
}

export function addPart(read: Part[], part: Json): void {
  if (part.thought === true) return
  const last = read.at(-1)
  const text = typeof part.text === 'string' ? part.text : null
  if (text !== null && last?.kind === 'text') last.text = append(last.text, text)
  else if (text !== null) read.push({ kind: 'text', text })
  else read.push(...otherPart(part))
}

function otherPart(part: Json): Part[] {
  const call = object(part.functionCall)
  if (call !== null)
    return [{ kind: 'call', name: word(call.name) ?? '', input: call.args, id: word(call.id) }]
  const result = object(part.functionResponse)
  if (result !== null) return [{ kind: 'result', text: resultText(result.response) }]
  const code = object(part.executableCode)
  if (code !== null) return [{ kind: 'call', name: 'code_execution', input: { code: code.code } }]
  const outcome = object(part.codeExecutionResult)
  if (outcome !== null) return [{ kind: 'result', text: word(outcome.output) ?? '' }]
  const inline = object(part.inlineData) ?? object(part.inline_data)
  const file = object(part.fileData) ?? object(part.file_data)
  const media = inline ?? file
  if (media === null) return []
  const type = word(media.mimeType) ?? word(media.mime_type) ?? ''
  const kind = type.split('/')[0] ?? ''
  const label = ['image', 'audio', 'video'].includes(kind) ? kind : 'document'
  const key = word(media.data) ?? word(media.fileUri) ?? word(media.file_uri) ?? ''
  return [{ kind: 'media', label, key: mediaKey(key) }]
}

/** Most tools answer with one field, `output` or `result`; people want to read what is in it. */
function resultText(response: unknown): string {
  const fields = Object.values(object(response) ?? {})
  return fields.length === 1 && typeof fields[0] === 'string' ? fields[0] : canonicalJson(response ?? {})
}
