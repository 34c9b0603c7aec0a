import { Elysia } from 'elysia'
import { asPage, isForPage } from './browser-page.ts'
import type { LlmProxy } from './proxy-options.ts'
import { namedTarget, nativeTarget, pathOf } from './target.ts'

export { askingRoutes } from './asking-routes.ts'
export { type MoneyRoutesOptions, moneyRoutes } from './money/money-routes.ts'
export { type RoutingRoutesOptions, routingRoutes } from './routing/routing-routes.ts'

/** The proxied routes: each dialect's own, and `/p/{provider}/…` for anything. */
export function llmRoutes({ proxy }: { proxy: LlmProxy }) {
  const raw = { parse: 'none', detail: { hide: true } } as const
  const native = ({ request, server }: { request: Request; server: Server }) =>
    answer(request, nativeTarget(pathOf(request.url), request.headers), server)
  const answer: LlmProxy['handle'] = (request, target, server) => {
    const { headers } = request
    const answered = proxy.handle(request, target, server)
    return isForPage(headers) ? answered.then((one) => asPage(one, headers)) : answered
  }

  return new Elysia({ name: 'llm' })
    .all('/v1/messages', ({ request, server }) => native({ request, server }), raw)
    .all('/v1/*', ({ request, server }) => native({ request, server }), raw)
    .all('/v1beta/*', ({ request, server }) => native({ request, server }), raw)
    .all('/v1alpha/*', ({ request, server }) => native({ request, server }), raw)
    .all('/upload/*', ({ request, server }) => native({ request, server }), raw)
    .all('/download/*', ({ request, server }) => native({ request, server }), raw)
    .all('/p/*', ({ request, server }) => answer(request, namedTarget(pathOf(request.url)), server), raw)
}

type Server = Parameters<LlmProxy['handle']>[2]
