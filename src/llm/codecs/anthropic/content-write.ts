import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { CacheMark, Doc, Image, Part, Source, Text, Thinking } from '../model.ts'
import { callId } from '../names.ts'
import { inputObject } from '../reading.ts'

/** The blocks of a turn. Empty texts are left out: the API refuses them. */
export function writeContent(parts: readonly Part[], context: Context): Json[] {
  return parts.map((part) => writePart(part, context)).filter((block) => block !== null)
}

function writePart(part: Part, context: Context): Json | null {
  switch (part.kind) {
    case 'text':
    case 'image':
    case 'document':
      return writeShown(part, context)
    case 'thinking':
      return writeThinking(part, context)
    case 'call':
      return {
        type: 'tool_use',
        id: callId(part.id, 'anthropic'),
        name: context.names.out(part.name),
        input: part.custom ? { input: part.input } : inputObject(part.input, context),
        ...marked(part.cache),
      }
    case 'result':
      return {
        type: 'tool_result',
        tool_use_id: callId(part.id, 'anthropic'),
        content: part.content.map((one) => writeShown(one, context)).filter((block) => block !== null),
        ...(part.error ? { is_error: true } : {}),
        ...marked(part.cache),
      }
    case 'refusal':
      context.lose('refusal')
      return part.text === '' ? null : { type: 'text', text: part.text }
    case 'audio':
      return context.refuse('audio-input')
  }
}

function writeShown(part: Text | Image | Doc, context: Context): Json | null {
  if (part.kind === 'text') {
    return part.text.trim() === '' ? null : { type: 'text', text: part.text, ...marked(part.cache) }
  }
  if (part.kind === 'image') {
    if (part.detail !== undefined && part.detail !== 'auto') context.lose('image-detail')
    return { type: 'image', source: imageSource(part.source, context), ...marked(part.cache) }
  }
  const title = part.name === null ? {} : { title: part.name }
  return { type: 'document', source: documentSource(part.source, context), ...title, ...marked(part.cache) }
}

const images = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function imageSource(source: Source, context: Context): Json {
  if (source.kind === 'base64') {
    if (!images.has(source.mime)) context.refuse('image-type', source.mime)
    return { type: 'base64', media_type: source.mime, data: source.data }
  }
  if (source.kind !== 'url') return context.refuse('file-id')
  if (!/^https?:/i.test(source.url)) context.refuse('image-url')
  return { type: 'url', url: source.url }
}

function documentSource(source: Source, context: Context): Json {
  if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text }
  if (source.kind === 'url') return { type: 'url', url: source.url }
  if (source.kind === 'file') return context.refuse('file-id')
  if (source.mime === 'application/pdf') return { type: 'base64', media_type: source.mime, data: source.data }
  if (!source.mime.startsWith('text/')) return context.refuse('document-type', source.mime)
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString() }
}

/** Only what Anthropic signed goes back to it. */
function writeThinking({ text, seal }: Thinking, context: Context): Json | null {
  if (seal?.by !== 'anthropic') {
    context.lose(seal === null ? 'unsigned-thinking' : 'foreign-thinking')
    return null
  }
  if (seal.redacted) return { type: 'redacted_thinking', data: seal.data }
  return { type: 'thinking', thinking: text, signature: seal.data }
}

export function marked(cache: CacheMark | undefined): Json {
  if (cache === undefined) return {}
  return { cache_control: { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) } }
}
