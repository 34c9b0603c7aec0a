/** One operation of an OpenAPI document: the part that we write. */
export type Operation = {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters: Record<string, unknown>[]
  requestBody?: unknown
  responses: Record<string, unknown>
}

/** What dialects have at these paths is theirs to describe: the gateway passes any method, query and body on. */
const native: [path: string, method: 'get' | 'post', summary: string][] = [
  ['/v1/messages', 'post', 'Anthropic: messages'],
  ['/v1/messages/count_tokens', 'post', 'Anthropic: count tokens'],
  ['/v1/chat/completions', 'post', 'OpenAI: chat completions'],
  ['/v1/responses', 'post', 'OpenAI: responses; a WebSocket on the same path with GET and upgrade'],
  ['/v1/realtime', 'get', 'OpenAI: realtime, by WebSocket'],
  ['/v1/embeddings', 'post', 'OpenAI: embeddings'],
  ['/v1/models', 'get', "Models, in OpenAI's shape; in Anthropic's where `anthropic-version` is sent"],
  ['/v1beta/models/{path}', 'post', 'Gemini: generateContent, streamGenerateContent, countTokens and others'],
]

const anything = ['get', 'post', 'put', 'patch', 'delete'] as const

/** The proxied routes, which are caught by a few wildcards and so do not show in the list of routes. */
export function proxiedPaths(): Record<string, Record<string, Operation>> {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const [path, method, summary] of native) paths[path] = { [method]: proxied(path, method, summary) }
  const path = '/p/{provider}/{path}'
  const summary = 'Anything to that provider, byte for byte'
  paths[path] = Object.fromEntries(anything.map((method) => [method, proxied(path, method, summary)]))
  return paths
}

function proxied(path: string, method: string, summary: string): Operation {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  return {
    operationId: `${method}${path.replace(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '')}`,
    summary,
    description:
      "Takes a Sluice key with the scope `call` where the dialect has its own credential, or the client's own where pass-through is on. Errors of the gateway have the dialect's shape.",
    tags: ['model traffic'],
    security: [{ key: ['call'] }, {}],
    parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...(method === 'get' ? {} : { requestBody: { content: { '*/*': {} } } }),
    responses: { default: { description: "The provider's answer, unchanged", content: { '*/*': {} } } },
  }
}
