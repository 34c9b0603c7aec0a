import type { Routing } from './routing.ts'

/** The shape in which a list of models is asked for; null where the path asks for something else. */
export function modelListShape(
  path: string,
  headers: Headers,
): ((names: readonly string[]) => object) | null {
  const bare = path.replace(/\?.*$/s, '')
  if (bare === '/v1beta/models') return geminiList
  if (bare !== '/v1/models') return null
  if (headers.has('x-goog-api-key')) return geminiList
  return headers.has('anthropic-version') ? anthropicList : openaiList
}

/** Models of all providers that are set up, in that shape. */
export async function modelList(
  routing: Routing,
  shape: (names: readonly string[]) => object,
): Promise<object> {
  const models = await routing.models()
  return shape([...new Set(models.map(({ model }) => model))].sort())
}

function geminiList(names: readonly string[]): object {
  return { models: names.map(gemini) }
}

function openaiList(names: readonly string[]): object {
  return { object: 'list', data: names.map(openai) }
}

function anthropicList(names: readonly string[]): object {
  const [first_id = null, last_id = null] = [names[0], names.at(-1)]
  return { data: names.map(anthropic), has_more: false, first_id, last_id }
}

const since = '2026-01-01T00:00:00Z'

function anthropic(id: string) {
  return { type: 'model', id, display_name: id, created_at: since }
}

function openai(id: string) {
  return { id, object: 'model', created: Date.parse(since) / 1000, owned_by: 'sluice' }
}

function gemini(id: string) {
  return {
    name: `models/${id}`,
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
  }
}
