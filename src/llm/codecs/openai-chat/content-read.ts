import { type Json, object, objects, word } from '../../dialects/json.ts'
import { cacheMark } from '../anthropic/content-read.ts'
import { sourceOfUrl } from '../media.ts'
import type { CacheMark, Part } from '../model.ts'
import { requiredWord, text } from '../reading.ts'
import type { Losses } from '../rules.ts'
import { readThinkingParts } from './thinking.ts'

/** https://platform.openai.com/docs/api-reference/chat/create: the content of a message. */
export function readContent(content: unknown, losses: Losses): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objects(content).map((part) => readPart(part, losses))
}

function readPart(part: Json, losses: Losses): Part {
  const cache = breakpoint(part)
  switch (part.type) {
    case 'text':
      return { kind: 'text', text: text(part.text), ...cache }
    case 'thinking':
      return readThinkingParts([part])[0] ?? { kind: 'text', text: '' }
    case 'refusal':
      return { kind: 'refusal', text: text(part.refusal) }
    case 'image_url': {
      const image = object(part.image_url)
      const detail = word(image?.detail)
      const source = sourceOfUrl(requiredWord(image?.url ?? part.image_url, 'url of image_url'))
      return { kind: 'image', source, ...(detail === null ? {} : { detail }), ...cache }
    }
    case 'input_audio': {
      const audio = object(part.input_audio)
      const mime = audio?.format === 'mp3' ? 'audio/mpeg' : `audio/${text(audio?.format) || 'wav'}`
      return { kind: 'audio', mime, data: text(audio?.data) }
    }
    case 'file': {
      const file = object(part.file) ?? {}
      const id = word(file.file_id)
      const source =
        id === null ? sourceOfUrl(text(file.file_data), 'application/pdf') : { kind: 'file' as const, id }
      return { kind: 'document', source, name: word(file.filename), ...cache }
    }
    default:
      return losses.refuse('unknown-part', text(part.type))
  }
}

/** OpenAI's own mark, or Anthropic's, which OpenRouter and others take in this dialect. */
export function breakpoint(part: Json): { cache?: CacheMark } {
  const own = object(part.prompt_cache_breakpoint)
  if (own === null) return cacheMark(part)
  return { cache: { ttl: own.ttl === '12h' ? '1h' : null } }
}
