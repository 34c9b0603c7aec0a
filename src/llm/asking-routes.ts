import { Elysia } from 'elysia'
import type { Authorise } from '#access'
import type { Asking } from './asking.ts'
import { ladderRoutes } from './ladder/ladder-routes.ts'
import { orchestraRoutes } from './orchestra/orchestra-routes.ts'

export function askingRoutes({ asking, authorise }: { asking: Asking; authorise: Authorise }) {
  const { orchestra, sql } = asking
  return new Elysia({ name: 'asking' })
    .use(orchestraRoutes({ orchestra, authorise }))
    .use(ladderRoutes({ sql, authorise }))
}
