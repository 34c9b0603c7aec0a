import { list, word } from '../../dialects/json.ts'
import { openaiEmbeddings } from '../../dialects/openai-embeddings.ts'
import { readDirectives } from './directives.ts'
import { embedding } from './gemini.ts'
import { tokensOf } from './plan.ts'
import { errorReply, jsonReply } from './reply.ts'
import type { Sent } from './sent.ts'

/** `POST /v1/embeddings` */
export function embeddings({ json, seed }: Sent): Response | Promise<Response> {
  const model = word(json.model)
  if (model === null) return errorReply(openaiEmbeddings, 400, 'you must provide a model parameter')
  if (json.input === undefined) return errorReply(openaiEmbeddings, 400, "'input' is a required property")
  const { error, delayMs } = readDirectives(model, '')
  if (error !== null) return errorReply(openaiEmbeddings, error, 'The mock was told to fail.')
  const inputs =
    Array.isArray(json.input) && typeof json.input[0] !== 'number' ? list(json.input) : [json.input]
  const numbers = embedding(seed)
  const packed = Buffer.from(new Float32Array(numbers).buffer).toString('base64')
  const data = inputs.map((_, index) => ({
    object: 'embedding',
    index,
    embedding: json.encoding_format === 'base64' ? packed : numbers,
  }))
  const tokens = tokensOf(JSON.stringify(json.input).length)
  return jsonReply(
    { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
    { delayMs },
  )
}
