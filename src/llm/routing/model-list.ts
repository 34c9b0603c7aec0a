import type { Routing } from './routing.ts'

/** `/v1/models`, `/v1beta/models` over all providers; null where the path asks for something else. */
export function modelList(path: string, headers: Headers, { catalogue }: Routing): object | null {
  const bare = path.replace(/\?.*$/s, '')
  const names = [...new Set(catalogue.names())].sort()
  if (bare === '/v1beta/models') return { models: names.map(gemini) }
  if (bare !== '/v1/models') return null
  if (headers.has('x-goog-api-key')) return { models: names.map(gemini) }
  if (!headers.has('anthropic-version')) return { object: 'list', data: names.map(openai) }
  return {
    data: names.map(anthropic),
    has_more: false,
    first_id: names[0] ?? null,
    last_id: names.at(-1) ?? null,
  }
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
