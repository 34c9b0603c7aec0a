import { gemini } from '../../dialects/gemini.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import { type Asked, inputTokens, type Plan, plan } from './plan.ts'
import { errorReply, frame, jsonReply, streamReply } from './reply.ts'
import type { Sent } from './sent.ts'

/** `POST /v1beta/models/{model}:{method}` */
export function geminiMethod(sent: Sent, path: string, query: URLSearchParams): Response | Promise<Response> {
  const [, model = '', method = ''] = /\/models\/([^/:]+):(\w+)$/.exec(path) ?? []
  if (method === 'countTokens') {
    const asking = asked(sent, model, path.replace('countTokens', 'generateContent'))
    return jsonReply({ totalTokens: inputTokens(asking).input })
  }
  if (method === 'embedContent') return jsonReply({ embedding: { values: embedding(sent.seed) } })
  if (method === 'batchEmbedContents') {
    return jsonReply({
      embeddings: objects(sent.json.requests).map(() => ({ values: embedding(sent.seed) })),
    })
  }
  const streams = method === 'streamGenerateContent'
  if (!streams && method !== 'generateContent') {
    return errorReply(gemini, 404, `models/${model} is not found, or is not supported for ${method}.`)
  }
  if (!Array.isArray(sent.json.contents) || sent.json.contents.length === 0) {
    return errorReply(gemini, 400, '* GenerateContentRequest.contents: contents is not specified')
  }
  const planned = plan(asked(sent, model, path))
  const { directives } = planned
  if (directives.error !== null) return errorReply(gemini, directives.error, 'The mock was told to fail.')
  if (streams) return streamReply(frames(chunks(planned), query.get('alt') === 'sse'), directives)
  if (directives.inbandError) return errorReply(gemini, 503, 'The model is overloaded.')
  return jsonReply(whole(planned), directives)
}

/** Eight numbers between -1 and 1 that the seed gives. */
export function embedding(seed: string): number[] {
  return Array.from(
    { length: 8 },
    (_, index) => Number.parseInt(seed.slice(index, index + 4), 16) / 32_768 - 1,
  )
}

function asked({ json, bytes, seed }: Sent, model: string, path: string): Asked {
  const calling = object(object(json.toolConfig)?.functionCallingConfig)
  const declared = objects(json.tools).flatMap((tool) => objects(tool.functionDeclarations))
  const allowed = (calling?.allowedFunctionNames as unknown[] | undefined)?.[0]
  return {
    model: decodeURIComponent(model),
    history: gemini.readRequest(bytes, path).history,
    tools: declared.map((tool) => ({
      name: word(tool.name) ?? '',
      schema: tool.parametersJsonSchema ?? tool.parameters,
    })),
    force: calling?.mode === 'ANY' ? (word(allowed) ?? '*') : null,
    thinking: object(object(json.generationConfig)?.thinkingConfig)?.includeThoughts === true,
    seed,
  }
}

function whole(planned: Plan): Json {
  const text = planned.pieces.join('')
  return chunk(planned, [...thoughts(planned), ...(text === '' ? [] : [{ text }]), ...calls(planned)], true)
}

/** Counts grow from chunk to chunk. */
function chunks(planned: Plan): Json[] {
  const parts = [...thoughts(planned), ...planned.pieces.map((text) => ({ text })), ...calls(planned)]
  if (planned.directives.inbandError) {
    const error = { status: 503, code: 'unavailable', message: 'The model is overloaded.' }
    const said = parts.slice(0, Math.ceil(parts.length / 2)).map((part) => chunk(planned, [part], false))
    return [...said, object(gemini.errorBody(error)) ?? {}]
  }
  return parts.map((part, index) => chunk(planned, [part], index === parts.length - 1))
}

/** With `alt=sse` events, otherwise one JSON array that arrives in pieces. */
function frames(chunks: readonly Json[], sse: boolean): string[] {
  if (sse) return chunks.map((one) => frame(one).replace(/\n\n$/, '\r\n\r\n'))
  return [
    ...chunks.map((one, index) => `${index === 0 ? '[' : ',\r\n'}${JSON.stringify(one, null, 2)}`),
    '\n]\n',
  ]
}

function chunk(planned: Plan, parts: Json[], last: boolean): Json {
  const { input, cached, output, reasoning } = planned.tokens
  const candidates = last ? output - reasoning : 1
  return {
    candidates: [{ content: { parts, role: 'model' }, ...(last && { finishReason: 'STOP' }), index: 0 }],
    usageMetadata: {
      promptTokenCount: input,
      candidatesTokenCount: candidates,
      totalTokenCount: input + candidates + reasoning,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
      ...(cached > 0 && { cachedContentTokenCount: cached }),
      ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
    },
    modelVersion: planned.model,
    responseId: planned.id,
  }
}

function thoughts({ thinking }: Plan): Json[] {
  return thinking === null ? [] : [{ text: thinking, thought: true }]
}

function calls({ calls }: Plan): Json[] {
  return calls.map(({ id, name, input }) => ({ functionCall: { id, name, args: input } }))
}
