import { Elysia } from 'elysia'
import { portalRoutes } from './portal-routes.ts'
import { type ServerRoutesOptions, serverRowRoutes } from './server-routes.ts'
import { urlRoutes } from './url-routes.ts'
import { visibilityRoutes } from './visibility-routes.ts'

export type { ServerRoutesOptions } from './server-routes.ts'

/** `/api/mcp/…`: what the portal offers, and to whom. */
export function serverRoutes(options: ServerRoutesOptions) {
  return new Elysia({ name: 'mcp-servers' })
    .use(serverRowRoutes(options))
    .use(portalRoutes(options))
    .use(urlRoutes(options))
    .use(visibilityRoutes(options))
}
