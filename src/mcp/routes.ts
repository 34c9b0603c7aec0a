import { Elysia } from 'elysia'
import { z } from 'zod'
import { routeDoc } from '#lib/route-doc'
import type { StreamServer } from './edge/edge.ts'
import type { Target } from './edge/identify.ts'
import type { McpEdge } from './edge/open-edge.ts'
import type { Mcp } from './open-mcp.ts'

export { type ServerRoutesOptions, serverRoutes } from './servers/routes.ts'

const tag = 'mcp'
const scope = 'call' as const
const errors = 'json-rpc' as const
const raw = { parse: 'none' } as const
const whole: Target = { kind: 'all' }
const portal = (name: string): Target => ({ kind: 'portal', name })
const secret = (given: string): Target => ({ kind: 'secret', secret: given })

export type McpRoutesOptions = Pick<Mcp, 'edge' | 'socket'> & {
  /** Is the transport of 2024-11-05 there, for clients that know no other? */
  sse: boolean
}

/** MCP itself. Errors are JSON-RPC errors, with the HTTP statuses that its specification has for them. */
export function mcpRoutes({ edge, socket, sse }: McpRoutesOptions) {
  type Asked = { request: Request; server: StreamServer }
  const to = (target: Target, { request, server }: Asked) => edge.handle(request, { target, server })
  const routes = new Elysia({ name: 'mcp' })
    .get('/mcp/ws', ({ request, server }) => socket(request, server), routeDoc(sockets))
    .post('/mcp', ({ request, server }) => to(whole, { request, server }), post(whats.all))
    .get('/mcp', ({ request, server }) => to(whole, { request, server }), get(whats.all))
    .delete('/mcp', ({ request, server }) => to(whole, { request, server }), end(whats.all))
    .options('/mcp', ({ request, server }) => to(whole, { request, server }), hidden)
    .post(
      '/mcp/:portal',
      ({ request, server, params: { portal: name } }) => to(portal(name), { request, server }),
      post(whats.portal),
    )
    .get(
      '/mcp/:portal',
      ({ request, server, params: { portal: name } }) => to(portal(name), { request, server }),
      get(whats.portal),
    )
    .delete(
      '/mcp/:portal',
      ({ request, server, params: { portal: name } }) => to(portal(name), { request, server }),
      end(whats.portal),
    )
    .options(
      '/mcp/:portal',
      ({ request, server, params: { portal: name } }) => to(portal(name), { request, server }),
      hidden,
    )
    .post(
      '/mcp/s/:secret',
      ({ request, server, params: { secret: given } }) => to(secret(given), { request, server }),
      bySecret(post(whats.secret)),
    )
    .get(
      '/mcp/s/:secret',
      ({ request, server, params: { secret: given } }) => to(secret(given), { request, server }),
      bySecret(get(whats.secret)),
    )
    .delete(
      '/mcp/s/:secret',
      ({ request, server, params: { secret: given } }) => to(secret(given), { request, server }),
      bySecret(end(whats.secret)),
    )
    .options(
      '/mcp/s/:secret',
      ({ request, server, params: { secret: given } }) => to(secret(given), { request, server }),
      hidden,
    )
  return sse ? routes.use(sseRoutes(edge)) : routes
}

function sseRoutes({ sse }: McpEdge) {
  return new Elysia({ name: 'mcp-sse' })
    .get('/sse', ({ request, server }) => sse.listen(request, server), routeDoc(listening))
    .post('/messages', ({ request }) => sse.take(request), { ...raw, ...routeDoc(messages) })
}

/** For the documentation alone: what comes is read by the revision that it is of. */
const messageBody = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]).optional().meta({ description: 'Of requests and responses' }),
  method: z.string().optional(),
  params: z.looseObject({}).optional(),
})

const sockets = {
  ...{ scope, tag, errors, summary: 'MCP over WebSocket: one JSON-RPC message a text frame, of either era' },
  description:
    'With `?portal=` a named selection of servers. With `?spy=` any MCP WebSocket between the client and that server, untouched and recorded.',
  status: 101,
}
const listening = {
  ...{ scope, tag, errors, summary: 'MCP of 2024-11-05: its stream, where MCP_SSE is set' },
  answer: 'text/event-stream',
}
const messages = {
  ...{ scope, tag, errors, summary: 'MCP of 2024-11-05: a message of the client, answered on its stream' },
  body: messageBody,
  status: 202,
}
const hidden = { ...raw, detail: { hide: true } }
const whats = {
  all: 'all servers that the key may see',
  portal: 'a named selection of servers',
  secret: 'a revocable address that is itself the credential',
}

function post(what: string) {
  const description =
    'One JSON-RPC message, of revision 2026-07-28 or of one with sessions (2025-03-26: or a batch of 100 at most); 413 names the limit of its bytes. Answered with one JSON object, or with a stream where something precedes the result.'
  const summary = `MCP, a message: ${what}`
  const doc = { scope, tag, errors, summary, description, body: messageBody, answer: 'application/json' }
  return { ...raw, ...routeDoc(doc) }
}

function get(what: string) {
  const description = 'Of revisions with sessions. With `Last-Event-ID` a stream that broke off goes on.'
  const summary = `MCP, listening: ${what}`
  const doc = { scope, tag, errors, summary, description, answer: 'text/event-stream' }
  return { ...raw, ...routeDoc(doc) }
}

function end(what: string) {
  return {
    ...raw,
    ...routeDoc({ scope, tag, errors, summary: `MCP, the end of a session: ${what}`, status: 204 }),
  }
}

/** Its credential is its path: no scope is asked for. */
function bySecret({ detail: { doc } }: ReturnType<typeof post>) {
  const { summary, description } = doc
  const told = description === undefined ? {} : { description }
  return { ...raw, detail: { summary, tags: [tag], security: [], ...told } }
}
