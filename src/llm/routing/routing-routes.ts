import { Elysia } from 'elysia'
import { routeDoc } from '#lib/route-doc'
import { providerRoutes } from './provider-routes.ts'
import { routeRoutes } from './route-routes.ts'
import type { RoutingRoutesOptions } from './routes-options.ts'

export type { RoutingRoutesOptions } from './routes-options.ts'

export function routingRoutes(options: RoutingRoutesOptions) {
  const { routing, authorise } = options
  return new Elysia({ name: 'routing' })
    .use(routeRoutes(options))
    .use(providerRoutes(options))
    .get(
      '/api/models',
      async ({ request }) => {
        authorise(request, 'read')
        const items = await routing.models()
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({
        summary: 'Models of all providers that are set up, and whose they are',
        scope: 'read',
        tag: 'routing',
      }),
    )
}
