import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { dataUrl } from '../media.ts'
import type { CacheMark, Doc, Image, Part, Text } from '../model.ts'
import { hasCacheBreakpoints, takesCacheControl } from '../model-facts.ts'

/**
 * Texts without marks are sent as one: some servers of this dialect know no lists. `between` goes between them,
 * as pieces of one answer belong together and those of a prompt do not.
 */
export function writeContent(
  parts: readonly Part[],
  { model, between = '\n\n' }: { model: string; between?: string },
  context: Context,
): string | Json[] {
  const content = parts.map((part) => writePart(part, model, context)).filter((part) => part !== null)
  const plain = content.every((part) => part.type === 'text' && Object.keys(part).length === 2)
  return plain ? content.map(({ text }) => String(text)).join(between) : content
}

function writePart(part: Part, model: string, context: Context): Json | null {
  switch (part.kind) {
    case 'text':
      return part.text === ''
        ? null
        : { type: 'text', text: part.text, ...writeCache(part.cache, model, context) }
    case 'image':
      return { ...writeImage(part, context), ...writeCache(part.cache, model, context) }
    case 'document':
      return { ...writeDocument(part, context), ...writeCache(part.cache, model, context) }
    case 'audio':
      return {
        type: 'input_audio',
        input_audio: { data: part.data, format: soundFormat(part.mime, context) },
      }
    case 'refusal':
      return { type: 'refusal', refusal: part.text }
    default:
      return null
  }
}

function writeImage({ source, detail }: Image, context: Context): Json {
  const more = detail === undefined ? {} : { detail }
  if (source.kind === 'base64') return { type: 'image_url', image_url: { url: dataUrl(source), ...more } }
  if (source.kind !== 'url') return context.refuse('file-id')
  if (!/^https?:/i.test(source.url)) context.refuse('image-url')
  return { type: 'image_url', image_url: { url: source.url, ...more } }
}

function writeDocument({ source, name }: Doc, context: Context): Json {
  if (source.kind === 'text') return { type: 'text', text: titled(name, source.text) }
  if (source.kind === 'url') return context.refuse('document-url')
  if (source.kind === 'file') {
    // An upload of OpenAI's is the same in both of its dialects.
    return context.from === 'openai-responses'
      ? { type: 'file', file: { file_id: source.id } }
      : context.refuse('file-id')
  }
  if (source.mime.startsWith('text/')) {
    return { type: 'text', text: titled(name, Buffer.from(source.data, 'base64').toString()) }
  }
  if (source.mime !== 'application/pdf') context.refuse('document-type', source.mime)
  return { type: 'file', file: { filename: name ?? 'document.pdf', file_data: dataUrl(source) } }
}

function soundFormat(mime: string, context: Context): string {
  if (mime === 'audio/mpeg' || mime === 'audio/mp3') return 'mp3'
  return mime === 'audio/wav' || mime === 'audio/x-wav' ? 'wav' : context.refuse('audio-input', mime)
}

export function titled(name: string | null, text: string): string {
  return name === null ? text : `${name}\n\n${text}`
}

export function writeCache(cache: CacheMark | undefined, model: string, context: Context): Json {
  if (cache === undefined) return {}
  if (takesCacheControl(model)) {
    return { cache_control: { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) } }
  }
  if (hasCacheBreakpoints(model)) return { prompt_cache_breakpoint: { mode: 'explicit' } }
  context.lose('cache-control')
  return {}
}

/** What the result of a tool cannot hold here. */
export function splitResult(content: readonly (Text | Image | Doc)[]): {
  texts: Text[]
  media: (Image | Doc)[]
} {
  const isText = (part: Text | Image | Doc): part is Text => part.kind === 'text'
  return {
    texts: content.filter(isText),
    media: content.filter((part): part is Image | Doc => !isText(part)),
  }
}
