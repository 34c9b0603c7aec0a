import { Elysia } from 'elysia'
import { may } from '#access'
import { SluiceError } from '#lib/errors'
import { routeDoc } from '#lib/route-doc'
import { type Board, tag } from '../board-deps.ts'
import { liveStream } from './live-stream.ts'
import { boardView, queueView } from './view.ts'

/** Queues as they are now. Counts of rows are of the own tenant; admins see all. */
export function queueRoutes({ authorise, live }: Board) {
  const tenantOf = (request: Request) => {
    const principal = authorise(request, 'read')
    return may(principal, 'admin') ? null : principal.tenant
  }
  return new Elysia()
    .get(
      '/api/queues',
      async ({ request }) => Response.json(await live.now(tenantOf(request)), noStore),
      routeDoc({
        summary: 'All queues: counts, throughput, waits, workers, what is wrong',
        description:
          'At most 2 s old, and looked at once for all who ask: on Redis and on Postgres the same.',
        ...{ scope: 'read', tag, answer: boardView },
      }),
    )
    .get(
      '/api/queues/live',
      ({ request }) => {
        const tenant = tenantOf(request)
        return liveStream(live, { tenant, check: () => void authorise(request, 'read') })
      },
      routeDoc({
        summary: 'All queues, pushed as they change: an event `board` every 2 s',
        ...{ scope: 'read', tag, answer: 'text/event-stream' },
      }),
    )
    .get(
      '/api/queues/:queue',
      async ({ request, params: { queue } }) => {
        const board = await live.now(tenantOf(request))
        const found = board.queues.find(({ name }) => name === queue)
        if (found === undefined) throw noQueue(queue)
        return Response.json(found, noStore)
      },
      routeDoc({ summary: 'One queue', scope: 'read', tag, answer: queueView }),
    )
}

const noStore = { headers: { 'cache-control': 'no-store' } }

export function noQueue(name: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no queue ${name.slice(0, 100)}`)
}
