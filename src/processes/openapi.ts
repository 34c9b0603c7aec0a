import type { AnyElysia } from 'elysia'
import { z } from 'zod'
import type { RouteDoc } from '#lib/route-doc'
import { type Operation, proxiedPaths } from './proxied-paths.ts'

/**
 * The OpenAPI 3.1 document of an app, from its routes. Made by us and not by `@elysiajs/openapi`: what our routes
 * take and give is said in `routeDoc` beside them, checked by themselves after authorisation, and unknown to Elysia,
 * which so never parses a body.
 */
export function openApiDocument(app: AnyElysia, about: { version: string }): OpenApi {
  const paths: OpenApi['paths'] = proxiedPaths()
  for (const route of app.routes) {
    const detail: Detail = route.hooks?.detail ?? {}
    if (detail.hide || ['HEAD', 'OPTIONS', 'WS'].includes(route.method)) continue
    const path = documentPath(route.path)
    const operations = paths[path] ?? {}
    paths[path] = operations
    for (const method of methodsOf(route.method, route.path)) {
      operations[method] ??= operation(route.path, method, detail)
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version: about.version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ key: [] }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A Sluice key, `sk-sluice-…`' },
      },
      schemas: {
        Problem: schemaOf(problemBody, 'output'),
        JsonRpcError: schemaOf(jsonRpcError, 'output'),
      },
    },
  }
}

export type OpenApi = {
  openapi: string
  info: Record<string, unknown>
  security: Record<string, string[]>[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, unknown>
}

/** What a route may say of itself: a `routeDoc`, or parts of an OpenAPI operation. */
type Detail = Partial<Operation> & { doc?: RouteDoc; hide?: boolean }

function operation(path: string, method: string, detail: Detail): Operation {
  const { doc, hide: _, ...said } = detail
  const proxied = !path.startsWith('/api/') && doc === undefined
  const description = [doc?.description ?? said.description, doc && scopeLine(doc)]
    .filter(Boolean)
    .join('\n\n')
  const made: Operation = {
    operationId: `${method}${path.replace(/[^A-Za-z0-9]+/g, '-').replace(/-$/, '')}`,
    summary: `${method.toUpperCase()} ${path}`,
    tags: [doc?.tag ?? (proxied ? 'model traffic' : 'the record')],
    responses: {
      [doc?.status ?? 200]: { description: 'Success', ...contentOf(doc?.answer) },
      ...(proxied ? {} : { default: errorAnswers[doc?.errors ?? 'problem'] }),
    },
    ...(doc === undefined ? {} : { security: doc.scope === 'open' ? [] : [{ key: [doc.scope] }] }),
    ...(doc?.body === undefined ? {} : { requestBody: { ...contentOf(doc.body, 'input') } }),
    ...said,
    ...(description === '' ? {} : { description }),
    parameters: [...pathParameters(path), ...queryParameters(doc?.query), ...(said.parameters ?? [])],
  }
  return made
}

const problemBody = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
})

const errorAnswers = {
  problem: {
    description: 'An error, as RFC 9457 problem JSON',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  },
  'json-rpc': {
    description: 'An error, as a JSON-RPC error response',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/JsonRpcError' } } },
  },
}

const jsonRpcError = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]).nullable(),
  error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }),
})

function scopeLine(doc: RouteDoc): string {
  return doc.scope === 'open' ? 'Open to everybody.' : `Needs the scope \`${doc.scope}\`.`
}

function contentOf(answer: RouteDoc['answer'], io: 'input' | 'output' = 'output') {
  if (answer === undefined) return {}
  if (typeof answer === 'string') return { content: { [answer]: {} } }
  return { content: { 'application/json': { schema: schemaOf(answer, io) } } }
}

function pathParameters(path: string): Record<string, unknown>[] {
  const names = path
    .split('/')
    .flatMap((part) => (part === '*' ? ['path'] : part.startsWith(':') ? [part.slice(1)] : []))
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(query: z.ZodType | undefined): Record<string, unknown>[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = schemaOf(query, 'input')
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

/** A route for every method is shown once, unless it passes any method on. */
function methodsOf(method: string, path: string): string[] {
  if (method !== 'ALL') return [method.toLowerCase()]
  return path.endsWith('*') ? ['get', 'post', 'put', 'patch', 'delete'] : ['post']
}

function documentPath(path: string): string {
  return path
    .split('/')
    .map((part) => (part === '*' ? '{path}' : part.startsWith(':') ? `{${part.slice(1)}}` : part))
    .join('/')
}
