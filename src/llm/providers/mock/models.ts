import { anthropic } from '../../dialects/anthropic.ts'
import { gemini } from '../../dialects/gemini.ts'
import { openaiModels } from '../../dialects/openai-models.ts'
import { errorReply } from './reply.ts'

/** Any name will do; these are offered. */
export const mockModels = [
  'mock',
  'mock-echo',
  'mock-slow',
  'mock-long-200',
  'mock-cut',
  'mock-inband-error',
  'mock-error-529',
]

/**
 * `GET /v1/models` and `GET /v1/models/{id}`, in Anthropic's shape where `anthropic-version` is sent, and in
 * Gemini's for its SDK, which asks under `/v1` too.
 */
export function listModels(path: string, headers: Headers): Response {
  if (headers.has('x-goog-api-key')) return listGeminiModels(path)
  const anthropics = headers.has('anthropic-version')
  const wanted = /\/models\/([^/]+)$/.exec(path)?.[1]
  const describe: (id: string) => object = anthropics ? anthropicModel : openaiModel
  if (wanted !== undefined) {
    const known = mockModels.includes(decodeURIComponent(wanted))
    if (known) return Response.json(describe(decodeURIComponent(wanted)))
    return errorReply(anthropics ? anthropic : openaiModels, 404, `The model '${wanted}' does not exist`)
  }
  const data = mockModels.map(describe)
  const page = { data, has_more: false, first_id: mockModels[0], last_id: mockModels.at(-1) }
  return Response.json(anthropics ? page : { object: 'list', data })
}

/** `GET /v1beta/models` and `GET /v1beta/models/{id}` */
export function listGeminiModels(path: string): Response {
  const wanted = /\/models\/([^/]+)$/.exec(path)?.[1]
  if (wanted === undefined) return Response.json({ models: mockModels.map(geminiModel) })
  if (mockModels.includes(wanted)) return Response.json(geminiModel(wanted))
  return errorReply(gemini, 404, `models/${wanted} is not found`)
}

function anthropicModel(id: string) {
  return { type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }
}

function openaiModel(id: string) {
  return { id, object: 'model', created: 1_767_225_600, owned_by: 'sluice' }
}

function geminiModel(id: string) {
  return {
    name: `models/${id}`,
    version: '1',
    displayName: id,
    inputTokenLimit: 1_000_000,
    outputTokenLimit: 100_000,
    supportedGenerationMethods: ['generateContent', 'countTokens', 'embedContent'],
  }
}
