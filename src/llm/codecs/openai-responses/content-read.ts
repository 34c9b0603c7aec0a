import { type Json, object, objects, word } from '../../dialects/json.ts'
import { sourceOfUrl } from '../media.ts'
import type { Part, Source } from '../model.ts'
import { breakpoint } from '../openai-chat/content-read.ts'
import { text } from '../reading.ts'
import type { Losses } from '../rules.ts'

/** https://platform.openai.com/docs/api-reference/responses/create: the content of an item. */
export function readContent(content: unknown, losses: Losses): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }]
  return objects(content).map((part) => readPart(part, losses))
}

function readPart(part: Json, losses: Losses): Part {
  const cache = breakpoint(part)
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { kind: 'text', text: text(part.text), ...cache }
    case 'refusal':
      return { kind: 'refusal', text: text(part.refusal) }
    case 'input_image': {
      const detail = word(part.detail)
      const id = word(part.file_id)
      const source: Source = id === null ? sourceOfUrl(text(part.image_url)) : { kind: 'file', id }
      return { kind: 'image', source, ...(detail === null ? {} : { detail }), ...cache }
    }
    case 'input_file': {
      const id = word(part.file_id)
      const url = word(part.file_url)
      const source: Source =
        id !== null
          ? { kind: 'file', id }
          : url !== null
            ? sourceOfUrl(url)
            : sourceOfUrl(text(part.file_data), 'application/pdf')
      return { kind: 'document', source, name: word(part.filename), ...cache }
    }
    case 'input_audio': {
      const audio = object(part.input_audio)
      const mime = audio?.format === 'mp3' ? 'audio/mpeg' : 'audio/wav'
      return { kind: 'audio', mime, data: text(audio?.data) }
    }
    default:
      return losses.refuse('unknown-part', text(part.type))
  }
}
