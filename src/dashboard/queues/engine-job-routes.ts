import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Principal } from '#access'
import { type EngineJob, type EngineJobDetail, engineStates } from '#broker'
import { isoTime } from '#lib/clock'
import { SluiceError } from '#lib/errors'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { type Board, tag } from '../board-deps.ts'
import { houseOperator, isOfTheHouse } from '../house.ts'
import {
  type EngineJobDetailView,
  type EngineJobView,
  engineJobDetail,
  engineJobView,
} from './engine-job-view.ts'
import { noQueue } from './queue-routes.ts'

const jobQuery = z.strictObject({
  state: z.enum(engineStates).default('waiting'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(0).max(10_000_000).default(0),
})

const about =
  "The queues of the system carry every tenant's work: why a job failed and what it carries is shown to admins, and to readers of the tenant `default`."

const acts = ['retry', 'promote', 'remove'] as const

/** Jobs that only the engine has: of every queue but `jobs`, whose are rows. */
export function engineJobRoutes({ authorise, audit, broker, contracts, live }: Board) {
  const app = new Elysia()
    .get(
      '/api/queues/:queue/jobs',
      async ({ request, params: { queue } }) => {
        const principal = authorise(request, 'read')
        const inspector = inspectorOf(queue)
        const { state, limit, cursor } = readQuery(request, jobQuery)
        const found = await inspector.jobs(state, { start: cursor, count: limit + 1 })
        const items = found.slice(0, limit).map((job) => shown(job, principal))
        return Response.json({ items, next_cursor: found.length > limit ? String(cursor + limit) : null })
      },
      routeDoc({
        summary: 'The jobs of a queue in one state, without what they carry',
        description: about,
        ...{ scope: 'read', tag, query: jobQuery },
        answer: z.object({ items: z.array(engineJobView), next_cursor: z.string().nullable() }),
      }),
    )
    .get(
      '/api/queues/:queue/jobs/:id',
      async ({ request, params: { queue, id } }) => {
        const principal = authorise(request, 'read')
        const job = await inspectorOf(queue).job(checked(id))
        if (job === null) throw noJob()
        return Response.json(detail(job, principal))
      },
      routeDoc({
        summary: 'One job of a queue',
        description: about,
        scope: 'read',
        tag,
        answer: engineJobDetail,
      }),
    )
  for (const act of acts) {
    app.post(
      `/api/queues/:queue/jobs/:id/${act}`,
      async ({ request, params: { queue, id } }) => {
        const principal = houseOperator(authorise, request)
        const inspector = inspectorOf(queue)
        checked(id)
        const asked = { request, principal, action: `job.${act}`, subject: `queue:${queue}/${id}` }
        await audit.run(asked, () => inspector[act](id))
        await live.refresh()
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: summaries[act], scope: 'operator', tag, status: 204 }),
    )
  }
  return app

  function inspectorOf(queue: string) {
    const contract = contracts.find(({ name }) => name === queue)
    if (contract === undefined) throw noQueue(queue)
    return broker.inspect(contract)
  }
}

/** @throws SluiceError 404 for what no engine can hold */
function checked(id: string): string {
  if (id.length <= 500 && id.isWellFormed() && !id.includes('\u0000')) return id
  throw noJob()
}

function noJob(): SluiceError {
  return new SluiceError(404, 'not-found', 'There is no such job, or no more')
}

const summaries = {
  retry: 'Run a failed job of a queue again',
  promote: 'Run a delayed job of a queue now',
  remove: 'Remove a job of a queue',
}

function shown(job: EngineJob, principal: Principal): EngineJobView {
  return {
    ...job,
    error: isOfTheHouse(principal) ? job.error : job.error && 'shown to those who run the gateway',
    added_at: isoTime(job.added_at),
    due_at: timeOf(job.due_at),
    started_at: timeOf(job.started_at),
    ended_at: timeOf(job.ended_at),
  }
}

function detail(job: EngineJobDetail, principal: Principal): EngineJobDetailView {
  const hidden = isOfTheHouse(principal) ? {} : { data: null, result: null, stack: [], logs: [] }
  return { ...job, ...shown(job, principal), ...hidden }
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms)
}
