import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Doc, Image, Part, Source, Text, Turn } from '../model.ts'
import { inputText, requiredWord, text } from '../reading.ts'
import type { Losses } from '../rules.ts'
import { unpackBytes } from '../seal.ts'

/** Gemini need not name its calls. They get ids by their place, the same on every turn of a conversation. */
export type CallIds = {
  call(id: string | null, name: string): string
  result(id: string | null, name: string): string
}

export function callIds(): CallIds {
  let count = 0
  const open: { id: string; name: string }[] = []
  return {
    call(id, name) {
      const given = id ?? `call_${count}_${name.slice(0, 20).replace(/[^a-zA-Z0-9_-]/g, '_')}`
      count += 1
      open.push({ id: given, name })
      return given
    },
    result(id, name) {
      const at = open.findIndex((one) => (id === null ? one.name === name : one.id === id))
      const [found] = at === -1 ? [] : open.splice(at, 1)
      return id ?? found?.id ?? `call_${name}`
    },
  }
}

/** https://ai.google.dev/api/caching#Content: the parts of a turn, in a request or an answer. */
export function readParts(parts: unknown, ids: CallIds, losses: Losses): Part[] {
  return objects(parts).flatMap((part) => {
    const read = readPart(part, ids, losses)
    const signature = word(part.thoughtSignature)
    if (signature === null || signature === noSignature) return read === null ? [] : [read]
    const seal = unpackBytes(signature)
    // A signature stands on a part of any kind; on a thought it is the thought's own.
    if (read?.kind === 'thinking') return [{ ...read, seal }]
    const sign: Part = { kind: 'thinking', text: '', seal }
    return read === null ? [sign] : [sign, read]
  })
}

/** Google's word for: this call was not made by Gemini, do not look for its signature. */
export const noSignature = 'skip_thought_signature_validator'

function readPart(part: Json, ids: CallIds, losses: Losses): Part | null {
  const call = object(part.functionCall)
  if (call !== null) {
    const name = requiredWord(call.name, 'name of functionCall')
    return { kind: 'call', id: ids.call(word(call.id), name), name, input: inputText(call.args) }
  }
  const result = object(part.functionResponse)
  if (result !== null) return readResult(result, ids, losses)
  if (typeof part.text === 'string') {
    if (part.thought === true) return { kind: 'thinking', text: part.text, seal: null }
    return part.text === '' ? null : { kind: 'text', text: part.text }
  }
  const media = readMedia(part, losses)
  if (media !== null) return media
  if (part.executableCode !== undefined || part.codeExecutionResult !== undefined)
    losses.lose('server-history')
  else if (part.thoughtSignature === undefined) losses.lose('unknown-part', Object.keys(part).join(', '))
  return null
}

function readMedia(part: Json, losses: Losses): Part | null {
  const inline = object(part.inlineData) ?? object(part.inline_data)
  const file = object(part.fileData) ?? object(part.file_data)
  if (part.videoMetadata !== undefined || part.mediaResolution !== undefined) losses.lose('media-settings')
  if (inline !== null) {
    const mime = text(inline.mimeType) || text(inline.mime_type)
    if (mime.startsWith('audio/')) return { kind: 'audio', mime, data: text(inline.data) }
    return shown(mime, { kind: 'base64', mime, data: text(inline.data) }, word(inline.displayName))
  }
  if (file === null) return null
  const mime = word(file.mimeType) ?? word(file.mime_type)
  const url = text(file.fileUri) || text(file.file_uri)
  // Uploads have URLs too, which only Google can open.
  const isUpload = /generativelanguage\.googleapis\.com\/|^gs:/.test(url)
  const source: Source = isUpload ? { kind: 'file', id: url } : { kind: 'url', mime, url }
  return shown(mime ?? '', source, word(file.displayName))
}

function shown(mime: string, source: Source, name: string | null): Image | Doc {
  return mime.startsWith('image/') ? { kind: 'image', source } : { kind: 'document', source, name }
}

function readResult(result: Json, ids: CallIds, losses: Losses): Part {
  const name = requiredWord(result.name, 'name of functionResponse')
  const response = object(result.response) ?? {}
  const media = objects(result.parts).flatMap((part) => {
    const read = readMedia(part, losses)
    return read?.kind === 'image' || read?.kind === 'document' ? [read] : []
  })
  const keys = Object.keys(response)
  const [only] = keys.length === 1 ? keys : []
  const error = only === 'error'
  const inner = only === 'output' || only === 'result' || error ? response[only] : response
  const said: Text = { kind: 'text', text: typeof inner === 'string' ? inner : JSON.stringify(inner) }
  return {
    kind: 'result',
    id: ids.result(word(result.id), name),
    name,
    content: said.text === '' ? media : [said, ...media],
    error,
  }
}

/** A turn with results of functions comes under `user` or, from older clients, `function`. */
export function readTurn(content: Json, ids: CallIds, losses: Losses): Turn {
  const role = content.role === 'model' ? 'assistant' : 'user'
  return { role, parts: readParts(content.parts, ids, losses) }
}
