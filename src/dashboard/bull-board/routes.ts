import { Elysia } from 'elysia'
import { may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { routeDoc } from '#lib/route-doc'
import { type Board, tag } from '../board-deps.ts'
import { houseOperator, isOfTheHouse } from '../house.ts'
import { answer, base } from './answer.ts'
import { openBullBoards } from './open-bull-board.ts'

const summary = 'bull-board, for those who know it; behind the same login'

/**
 * bull-board shows what jobs carry, of every tenant: for admins and the tenant `default`, whose readers may look and
 * whose operators may act.
 */
export function bullBoardRoutes(board: Board) {
  const { authorise, audit } = board
  const boards = openBullBoards(board)
  const looked = routeDoc({ summary, scope: 'read', tag, answer: 'text/html' })
  const acted = routeDoc({ summary, scope: 'operator', tag })
  return new Elysia()
    .get('/queues/board', ({ request }) => look(request), looked)
    .get('/queues/board/*', ({ request }) => look(request), looked)
    .post('/queues/board/*', ({ request }) => act(request), acted)
    .put('/queues/board/*', ({ request }) => act(request), acted)
    .patch('/queues/board/*', ({ request }) => act(request), acted)

  async function look(request: Request): Promise<Response> {
    const principal = authorisedPage(request)
    if (principal instanceof Response) return principal
    if (!isOfTheHouse(principal)) {
      throw new SluiceError(
        403,
        'other-tenants',
        "This shows every tenant's jobs: it needs a key of the tenant default, or an admin's",
      )
    }
    const parts = await boards(may(principal, 'operator') ? 'act' : 'look')
    return await answer(parts, request, pathOf(request))
  }

  async function act(request: Request): Promise<Response> {
    const principal = houseOperator(authorise, asOwnPage(request))
    const path = pathOf(request)
    const parts = await boards('act')
    const deed = { action: `board.${request.method.toLowerCase()}`, subject: `board:${path}` }
    return await audit.run({ request, principal, ...deed }, () => answer(parts, request, path))
  }

  /** A person without a session is sent to where one begins. */
  function authorisedPage(request: Request): Principal | Response {
    try {
      return authorise(request, 'read')
    } catch (error) {
      const page = request.headers.get('accept')?.includes('text/html') === true
      if (!page || !(error instanceof SluiceError) || error.status !== 401) throw error
      return new Response(null, { status: 303, headers: { location: '/queues' } })
    }
  }
}

/** Its page cannot send the header that ours do; that it is a page of this gateway, the browser says all the same. */
function asOwnPage(request: Request): Request {
  const headers = new Headers(request.headers)
  headers.set('sluice-csrf', 'bull-board')
  return new Request(request.url, { method: request.method, headers })
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname.slice(base.length).replace(/\/$/, '')
}
