import { Elysia } from 'elysia'
import type postgres from 'postgres'
import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Audit, Authorise } from '#access'
import { SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { audited } from '../audited.ts'
import { reach } from '../reading/job-routes.ts'
import { findBulk, insertBulk, listBulks, type Move, moveBulk } from './queries.ts'
import { type BulkInput, type BulkView, bulkCount, bulkInput, bulkView } from './shapes.ts'
import { countTargets, narrowed } from './targets.ts'

const tag = 'jobs'
const listed = 100

export type BulkRoutesOptions = {
  sql: Sql
  read: <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>
  authorise: Authorise
  audit?: Audit
}

/** Something done to all jobs of a filter, at a rate. */
export function bulkRoutes({ sql, read, authorise, audit }: BulkRoutesOptions) {
  const app = new Elysia()
    .post(
      '/api/jobs/bulk',
      async ({ request }) => await start(request),
      routeDoc({
        summary: 'Retry, cancel or remove all jobs of a filter, at a rate',
        description:
          'Newest first, in slices: what is submitted after it began is none of it, and each job is taken as it is when its slice comes, once. `total` was counted at the start. With `dry_run` nothing is done: 200 with the count.',
        ...{ scope: 'operator', tag, body: bulkInput, answer: z.union([bulkView, bulkCount]), status: 202 },
      }),
    )
    .get(
      '/api/jobs/bulk',
      async ({ request }) => {
        const tenant = reach(authorise(request, 'read'), undefined)
        return Response.json({
          items: await read((one) => listBulks(one, tenant, listed)),
          next_cursor: null,
        })
      },
      routeDoc({
        ...{ summary: `List the newest ${listed} bulk operations`, scope: 'read', tag },
        answer: z.object({ items: z.array(bulkView), next_cursor: z.null() }),
      }),
    )
    .get(
      '/api/jobs/bulk/:id',
      async ({ request, params: { id } }) =>
        Response.json(await find(id, reach(authorise(request, 'read'), undefined))),
      routeDoc({ summary: 'Show a bulk operation and its progress', scope: 'read', tag, answer: bulkView }),
    )
  for (const move of ['pause', 'resume', 'cancel'] as const) {
    app.post(
      `/api/jobs/bulk/:id/${move}`,
      async ({ request, params: { id } }) => Response.json(await moved(request, id, move)),
      routeDoc({
        ...{ summary: `${summaries[move]} a bulk operation`, scope: 'operator', tag, answer: bulkView },
      }),
    )
  }
  return app

  async function start(request: Request): Promise<Response> {
    const principal = authorise(request, 'operator')
    const input = await readJson(request, bulkInput)
    const tenant = reach(principal, input.filter.tenant)
    const filter = narrowed(input.action, { ...input.filter, tenant })
    const { count, newest } = await read((one) => countTargets(one, filter))
    if (input.dry_run) return Response.json({ dry_run: true, count, newest })
    const id = newId()
    const { action, per_second } = input
    const about = { id, tenant, key_id: principal.keyId, action, per_second, total: count }
    const deed = { action: `jobs.${action}`, subject: `bulk:${id}`, detail: detailOf(input) }
    await audited({ sql, audit }, { request, principal, ...deed }, (tx) =>
      insertBulk(tx, { ...about, filter, below: id }),
    )
    const headers = { location: `/api/jobs/bulk/${id}` }
    return Response.json(await find(id, tenant), { status: 202, headers })
  }

  async function moved(request: Request, text: string, move: Move): Promise<BulkView> {
    const principal = authorise(request, 'operator')
    const { id, state } = await find(text, reach(principal, undefined))
    const deed = { action: `bulk.${move}`, subject: `bulk:${id}` }
    return await audited({ sql, audit }, { request, principal, ...deed }, async (tx) => {
      const bulk = await moveBulk(tx, id, move)
      if (bulk !== null) return bulk
      throw new SluiceError(409, 'bulk-state', `The operation is ${state}: cannot ${move} it`)
    })
  }

  async function find(id: string, tenant: string | null): Promise<BulkView> {
    const bulk = isId(id) ? await findBulk(sql, id, tenant) : null
    if (bulk === null) throw new SluiceError(404, 'not-found', 'There is no such bulk operation')
    return bulk
  }
}

const summaries = { pause: 'Pause', resume: 'Go on with', cancel: 'End' }

/** Words may be somebody's content. */
function detailOf({ filter: { q, ...filter }, per_second }: BulkInput): Record<string, unknown> {
  return { ...filter, ...(q === undefined ? {} : { q: '…' }), per_second }
}
