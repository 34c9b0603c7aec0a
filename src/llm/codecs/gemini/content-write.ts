import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { mimeOfUrl } from '../media.ts'
import type { Call, Doc, Image, Part, Result, Source, Turn } from '../model.ts'
import { geminiFacts } from '../model-facts.ts'
import { inputObject } from '../reading.ts'
import { noSignature } from './content-read.ts'

export type TurnWriter = { model: string; calls: Map<string, Call>; context: Context }

export function writeTurn(turn: Turn, writer: TurnWriter): Json[] {
  const { context } = writer
  const parts: Json[] = []
  let signature: string | null = null
  let isFirstCall = true
  for (const part of turn.parts) {
    if (part.kind === 'thinking') {
      if (part.seal?.by === 'gemini' && part.text === '') signature = part.seal.data
      else if (part.seal?.by === 'gemini') {
        const signed = part.seal.data === '' ? {} : { thoughtSignature: part.seal.data }
        parts.push({ text: part.text, thought: true, ...signed })
      } else context.lose(part.seal === null ? 'unsigned-thinking' : 'foreign-thinking')
      continue
    }
    const written = writePart(part, writer)
    if (part.kind === 'call') {
      // The first call of a step must be signed, or say that it is not Gemini's.
      if (signature === null && isFirstCall && geminiFacts(writer.model).signedCalls) signature = noSignature
      isFirstCall = false
    }
    const [head, ...more] = written
    if (head === undefined) continue
    parts.push(signature === null ? head : { ...head, thoughtSignature: signature }, ...more)
    signature = null
  }
  if (signature !== null) parts.push({ text: '', thoughtSignature: signature })
  return parts.length === 0 ? [] : [{ role: turn.role === 'assistant' ? 'model' : 'user', parts }]
}

export function writePart(part: Part, writer: TurnWriter): Json[] {
  const { context } = writer
  if ('cache' in part && part.cache !== undefined) context.lose('cache-control')
  switch (part.kind) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'refusal':
      context.lose('refusal')
      return part.text === '' ? [] : [{ text: part.text }]
    case 'image':
      if (part.detail !== undefined && part.detail !== 'auto') context.lose('image-detail')
      return [writeMedia(part, context)]
    case 'document':
      return [writeMedia(part, context)]
    case 'audio':
      return [{ inlineData: { mimeType: part.mime, data: part.data } }]
    case 'call': {
      const args = part.custom ? { input: part.input } : inputObject(part.input, context)
      return [{ functionCall: { id: part.id, name: context.names.out(part.name), args } }]
    }
    case 'result':
      return writeResult(part, writer)
    case 'thinking':
      return []
  }
}

/** The name of the function is required, which the other dialects leave to the id. */
function writeResult(result: Result, { model, calls, context }: TurnWriter): Json[] {
  const name = result.name ?? calls.get(result.id)?.name ?? result.id
  const said = result.content.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n')
  const media = result.content
    .filter((part): part is Image | Doc => part.kind !== 'text')
    .map((part) => writeMedia(part, context))
  const inside = media.length > 0 && geminiFacts(model).resultParts
  if (media.length > 0 && !inside) context.lose('result-image')
  const functionResponse = {
    id: result.id,
    name: context.names.out(name),
    response: { [result.error ? 'error' : 'output']: said },
    ...(inside ? { parts: media } : {}),
  }
  return inside ? [{ functionResponse }] : [{ functionResponse }, ...media]
}

function writeMedia({ source, ...part }: Image | Doc, context: Context): Json {
  const fallback = part.kind === 'image' ? 'image/jpeg' : 'application/pdf'
  switch (source.kind) {
    case 'base64':
      return { inlineData: { mimeType: source.mime, data: source.data } }
    case 'text':
      return { text: named(part, source) }
    case 'url': {
      if (!/^https?:/i.test(source.url)) context.refuse('image-url')
      const mimeType = source.mime ?? mimeOfUrl(source.url) ?? fallback
      return { fileData: { mimeType, fileUri: source.url } }
    }
    case 'file':
      return context.refuse('file-id')
  }
}

function named(part: Omit<Image | Doc, 'source'>, { text }: Extract<Source, { kind: 'text' }>): string {
  const name = 'name' in part && typeof part.name === 'string' ? part.name : null
  return name === null ? text : `${name}\n\n${text}`
}
