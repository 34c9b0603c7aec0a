import { type AnyElysia, Elysia } from 'elysia'
import type { Authorise } from '#access'
import type { Logger } from '#lib/log'
import { type RouteDoc, routeDoc } from '#lib/route-doc'
import { docsHeaders, docsPage } from './docs-page.ts'
import { failure } from './failure.ts'
import { type OpenApi, openApiDocument } from './openapi.ts'
import { type OpsOptions, opsRoutes } from './ops.ts'

export type GatewayAppOptions = {
  /** The domains' routes, in any order. */
  routes: readonly AnyElysia[]
  ops: OpsOptions
  log: Logger
}

/**
 * The gateway's HTTP: the domains' routes, operations, documentation, and the answer to everything else. No hook
 * runs on a request that works: the way from the socket to a proxied route is Elysia's compiled switch alone.
 */
export function gatewayApp({ routes, ops, log }: GatewayAppOptions): AnyElysia {
  const app: AnyElysia = new Elysia({
    name: 'gateway',
    // Otherwise a host of three letters shifts where Elysia sees the path begin.
    handler: { standardHostname: false },
  })
  const answer = failure(app, log)
  app.onError(({ error, request }) => answer(error, request))
  app.use(opsRoutes(ops)).use(homeRoutes(ops)).use(docsRoutes(app, ops))
  for (const plugin of routes) app.use(plugin)
  answerHeads(app, ops.authorise)
  return app
}

/**
 * HEAD of a stream. Elysia would answer it by running the GET and counting its bytes, which for a live tail never
 * ends.
 */
function answerHeads(app: AnyElysia, authorise: Authorise): void {
  for (const { method, path, hooks } of [...app.routes]) {
    const doc: RouteDoc | undefined = hooks?.detail?.doc
    if (method !== 'GET' || typeof doc?.answer !== 'string' || !streams.has(doc.answer)) continue
    const { answer, scope } = doc
    app.head(path, ({ request }) => {
      if (scope !== 'open') authorise(request, scope)
      return new Response(null, { headers: { 'content-type': answer } })
    })
  }
}

const streams = new Set(['text/event-stream', 'application/x-ndjson'])

function homeRoutes({ name, version }: OpsOptions) {
  const links = { docs: '/docs', openapi: '/openapi.json', health: '/health', ready: '/ready' }
  const summary = 'What this is, and where its documentation is'
  return new Elysia().get(
    '/',
    () => Response.json({ name, version, ...links }),
    routeDoc({ summary, scope: 'open', tag: 'operations' }),
  )
}

function docsRoutes(app: AnyElysia, { version }: OpsOptions) {
  const tag = 'operations'
  let document: OpenApi | undefined
  const made = () => {
    document ??= openApiDocument(app, { version })
    return document
  }
  return new Elysia()
    .get(
      '/openapi.json',
      () => Response.json(made()),
      routeDoc({ summary: 'This API as an OpenAPI 3.1 document', scope: 'open', tag }),
    )
    .get(
      '/docs',
      () => new Response(docsPage(made()), { headers: docsHeaders }),
      routeDoc({ summary: 'This API as a page to read', scope: 'open', tag, answer: 'text/html' }),
    )
}
