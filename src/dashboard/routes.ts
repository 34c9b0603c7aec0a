import { Elysia } from 'elysia'
import { alertRoutes } from './alerts/alert-routes.ts'
import type { Board } from './board-deps.ts'
import { bullBoardRoutes } from './bull-board/routes.ts'
import { actRoutes } from './queues/act-routes.ts'
import { engineJobRoutes } from './queues/engine-job-routes.ts'
import { queueRoutes } from './queues/queue-routes.ts'
import { rowRoutes } from './rows/routes.ts'
import { siteRoutes } from './site/site-routes.ts'

/** The dashboard over HTTP: queues, what is done to them, and its pages. */
export function dashboardRoutes(board: Board) {
  return new Elysia({ name: 'dashboard' })
    .use(queueRoutes(board))
    .use(alertRoutes(board))
    .use(rowRoutes(board))
    .use(actRoutes(board))
    .use(engineJobRoutes(board))
    .use(bullBoardRoutes(board))
    .use(siteRoutes(board))
}
