import { count, type Json, list, object, objects, word } from '../dialects/json.ts'
import type { Outgoing } from './codec.ts'
import { methodOf } from './gemini/request-read.ts'
import { modelPath } from './gemini/request-write.ts'
import { type Fields, invalid, loseUnread, number, requiredList, requiredWord, text } from './reading.ts'
import type { Losses } from './rules.ts'

/** Texts to embed, whatever the dialect. */
type EmbeddingRequest = { model: string; texts: string[]; dimensions: number | null }

/** What the answer needs to know of the question. */
export type EmbeddingCall = { model: string; base64: boolean; single: boolean }

export function asksForEmbeddings(path: string): boolean {
  return /(\/embeddings|:embedContent|:batchEmbedContents)(\?|$)/.test(path)
}

const openaiFields: Fields = {
  model: 'read',
  input: 'read',
  dimensions: 'read',
  encoding_format: 'read',
  user: 'user',
}

export function embeddingsToGemini(
  body: Json,
  model: string | null,
  losses: Losses,
): Outgoing & { call: EmbeddingCall } {
  loseUnread(body, openaiFields, losses)
  const asked = { model: model ?? requiredWord(body.model, 'model'), texts: inputs(body.input, losses) }
  const dimensions = number(body.dimensions)
  const name = `models/${asked.model.replace(/^models\//, '')}`
  const requests = asked.texts.map((text) => ({
    model: name,
    content: { parts: [{ text }] },
    ...(dimensions === null ? {} : { outputDimensionality: dimensions }),
  }))
  const call = { model: asked.model, base64: body.encoding_format === 'base64', single: false }
  return { path: `${modelPath(asked.model)}:batchEmbedContents`, body: { requests }, headers: {}, call }
}

function inputs(input: unknown, losses: Losses): string[] {
  if (typeof input === 'string') return [input]
  if (!Array.isArray(input) || input.length === 0) invalid('input must be text or a list of texts')
  return input.map((one) => (typeof one === 'string' ? one : losses.refuse('embedding-input')))
}

export function embeddingsToOpenai(
  body: Json,
  { path, model }: { path: string; model: string | null },
  losses: Losses,
): Outgoing & { call: EmbeddingCall } {
  const { model: asked, method } = methodOf(path)
  const single = method === 'embedContent'
  const requests = single ? [body] : requiredList(body.requests, 'requests')
  const { texts, dimensions } = geminiRequest(requests, asked, losses)
  const name = model ?? asked
  return {
    path: '/v1/embeddings',
    body: { model: name, input: texts, ...(dimensions === null ? {} : { dimensions }) },
    headers: {},
    call: { model: name, base64: false, single },
  }
}

function geminiRequest(requests: readonly Json[], model: string, losses: Losses): EmbeddingRequest {
  let dimensions: number | null = null
  const texts = requests.map((request) => {
    if (word(request.taskType) !== null || word(request.title) !== null) losses.lose('embedding-task')
    dimensions = number(request.outputDimensionality) ?? dimensions
    const parts = objects(object(request.content)?.parts)
    if (parts.length === 0 || parts.some((part) => typeof part.text !== 'string'))
      losses.refuse('embedding-input')
    return parts.map((part) => text(part.text)).join('\n')
  })
  return { model, texts, dimensions }
}

export function embeddingsFromGemini(body: Json, call: EmbeddingCall, losses: Losses): Json {
  const data = objects(body.embeddings).map((one, index) => ({
    object: 'embedding',
    index,
    embedding: call.base64 ? packed(list(one.values)) : one.values,
  }))
  const tokens = count(object(body.usageMetadata)?.promptTokenCount)
  if (tokens === null) losses.lose('embedding-usage')
  const usage = { prompt_tokens: tokens ?? 0, total_tokens: tokens ?? 0 }
  return { object: 'list', data, model: call.model, usage }
}

export function embeddingsFromOpenai(body: Json, call: EmbeddingCall): Json {
  const embeddings = objects(body.data).map(({ embedding }) => ({
    values: typeof embedding === 'string' ? unpacked(embedding) : embedding,
  }))
  const tokens = count(object(body.usage)?.prompt_tokens)
  const usage =
    tokens === null ? {} : { usageMetadata: { promptTokenCount: tokens, totalTokenCount: tokens } }
  return call.single ? { embedding: embeddings[0] ?? { values: [] }, ...usage } : { embeddings, ...usage }
}

/** 32-bit floats, little endian: what OpenAI's SDKs ask for by themselves. */
function packed(values: readonly unknown[]): string {
  return Buffer.from(new Float32Array(values.map(Number)).buffer).toString('base64')
}

function unpacked(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4))
}
