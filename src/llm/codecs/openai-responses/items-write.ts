import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { dataUrl } from '../media.ts'
import type { Doc, Image, Part, Result, Thinking, Turn } from '../model.ts'
import { hasCacheBreakpoints } from '../model-facts.ts'
import { callId } from '../names.ts'
import { titled } from '../openai-chat/content-write.ts'
import { splitId } from './items-read.ts'

/** The items of a turn, in the order of its parts: text and images that follow one another are one message. */
export function writeTurn({ role, parts }: Turn, model: string, context: Context): Json[] {
  const items: Json[] = []
  let content: Json[] | null = null
  for (const part of parts) {
    const item = writeItem(part, model, context)
    if (item !== null) {
      content = null
      items.push(item)
    } else if (part.kind !== 'thinking') {
      const piece = writePiece(part, role, model, context)
      if (piece === null) continue
      if (content === null) {
        content = []
        items.push({ type: 'message', role, content })
      }
      content.push(piece)
    }
  }
  return items
}

/** What is an item of its own; null for what stands in a message, and for thinking that cannot go. */
function writeItem(part: Part, model: string, context: Context): Json | null {
  switch (part.kind) {
    case 'call': {
      if (part.cache !== undefined) context.lose('cache-control', 'on a call')
      const base = { call_id: callId(part.id, 'openai-responses'), name: context.names.out(part.name) }
      return part.custom
        ? { type: 'custom_tool_call', ...base, input: part.input }
        : { type: 'function_call', ...base, arguments: part.input || '{}' }
    }
    case 'result':
      return writeResult(part, model, context)
    case 'thinking':
      return writeReasoning(part, context)
    default:
      return null
  }
}

function writeResult(result: Result, model: string, context: Context): Json {
  if (result.error) context.lose('result-error')
  const [only, ...more] = result.content
  const cache = writeCache(result, model, context)
  const plain = more.length === 0 && (only === undefined || only.kind === 'text') && cache === null
  const pieces = result.content
    .map((part) => writePiece(part, 'user', model, context))
    .filter((piece) => piece !== null)
  const last = pieces.at(-1)
  if (cache !== null && last !== undefined) Object.assign(last, cache)
  return {
    type: context.custom.has(result.name ?? '') ? 'custom_tool_call_output' : 'function_call_output',
    call_id: callId(result.id, 'openai-responses'),
    output: plain ? (only?.kind === 'text' ? only.text : '') : pieces,
  }
}

function writeReasoning({ text, seal }: Thinking, context: Context): Json | null {
  if (seal?.by !== 'openai-responses' || seal.data === '') {
    context.lose(seal === null || seal.data === '' ? 'unsigned-thinking' : 'foreign-thinking')
    return null
  }
  const { id, encrypted } = splitId(seal.data)
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return { type: 'reasoning', ...(id === '' ? {} : { id }), summary, encrypted_content: encrypted }
}

function writePiece(part: Part, role: Turn['role'], model: string, context: Context): Json | null {
  const cache = writeCache(part, model, context) ?? {}
  switch (part.kind) {
    case 'text':
      if (part.text === '') return null
      // An earlier answer takes no marks of the cache.
      if (role === 'assistant' && part.cache !== undefined) context.lose('cache-control', 'on an answer')
      return role === 'assistant'
        ? { type: 'output_text', text: part.text, annotations: [] }
        : { type: 'input_text', text: part.text, ...cache }
    case 'refusal':
      return { type: 'refusal', refusal: part.text }
    case 'image':
      return { ...writeImage(part, context), ...cache }
    case 'document':
      return { ...writeDocument(part, context), ...cache }
    case 'audio':
      return context.refuse('audio-input')
    default:
      return null
  }
}

function writeImage({ source, detail = 'auto' }: Image, context: Context): Json {
  if (source.kind === 'base64') return { type: 'input_image', image_url: dataUrl(source), detail }
  if (source.kind === 'url' && /^https?:/i.test(source.url)) {
    return { type: 'input_image', image_url: source.url, detail }
  }
  return context.refuse(source.kind === 'url' ? 'image-url' : 'file-id')
}

function writeDocument({ source, name }: Doc, context: Context): Json {
  switch (source.kind) {
    case 'text':
      return { type: 'input_text', text: titled(name, source.text) }
    case 'url':
      return { type: 'input_file', file_url: source.url }
    case 'file':
      // An upload of OpenAI's is the same in both of its dialects.
      return context.from === 'openai-chat'
        ? { type: 'input_file', file_id: source.id }
        : context.refuse('file-id')
    case 'base64':
      if (/^(video|image|audio)\//.test(source.mime)) return context.refuse('document-type', source.mime)
      return { type: 'input_file', filename: name ?? 'document.pdf', file_data: dataUrl(source) }
  }
}

function writeCache(part: Part, model: string, context: Context): Json | null {
  if (!('cache' in part) || part.cache === undefined) return null
  if (hasCacheBreakpoints(model)) return { prompt_cache_breakpoint: { mode: 'explicit' } }
  context.lose('cache-control')
  return null
}
