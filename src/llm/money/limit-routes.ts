import { Elysia } from 'elysia'
import { newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { iso } from './budget-queries.ts'
import type { MoneyRoutesOptions } from './routes-options.ts'
import { ownerOf } from './rule-subject.ts'
import {
  idOf,
  type LimitView,
  limitInput,
  limitView,
  listOf,
  notFound,
  pageOf,
  reachOf,
  ruleQuery,
  tag,
} from './shapes.ts'

/** Rate limits: set and taken away by admins, seen by the tenant that they are about. */
export function limitRoutes({ sql, authorise, refresh }: MoneyRoutesOptions) {
  return new Elysia()
    .post(
      '/api/limits',
      async ({ request }) => {
        authorise(request, 'admin')
        const input = await readJson(request, limitInput)
        const row = { ...input, id: newId(), tenant: await ownerOf(sql, input) }
        await sql`insert into rate_limits ${sql(row)}`
        await refresh().catch(() => {})
        return Response.json(await find(row.id, null), { status: 201 })
      },
      routeDoc({
        summary: 'Set a rate limit',
        description:
          'Requests count whoever answers them, the cache included, which spends no tokens. A call that climbs a ladder is one request, with the tokens of all its rungs.',
        scope: 'admin',
        tag,
        body: limitInput,
        answer: limitView,
        status: 201,
      }),
    )
    .get(
      '/api/limits',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const { limit, cursor, tenant } = readQuery(request, ruleQuery)
        const reach = reachOf(principal, tenant)
        const rows = await sql<LimitView[]>`
          select ${columns()} from rate_limits where (${reach}::text is null or tenant = ${reach})
            and (${cursor ?? null}::uuid is null or id < ${cursor ?? null}) order by id desc limit ${limit + 1}`
        return Response.json(pageOf(rows, limit))
      },
      routeDoc({
        summary: 'List rate limits, newest first',
        scope: 'read',
        tag,
        query: ruleQuery,
        answer: listOf(limitView),
      }),
    )
    .get(
      '/api/limits/:id',
      async ({ request, params: { id } }) => {
        const tenant = reachOf(authorise(request, 'read'), undefined)
        return Response.json(await find(idOf(id, 'limit'), tenant))
      },
      routeDoc({ summary: 'Show a rate limit', scope: 'read', tag, answer: limitView }),
    )
    .delete(
      '/api/limits/:id',
      async ({ request, params: { id } }) => {
        authorise(request, 'admin')
        const { count } = await sql`delete from rate_limits where id = ${idOf(id, 'limit')}`
        if (count === 0) throw notFound('limit')
        await refresh().catch(() => {})
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a rate limit', scope: 'admin', tag, status: 204 }),
    )

  async function find(id: string, tenant: string | null): Promise<LimitView> {
    const [row] = await sql<LimitView[]>`
      select ${columns()} from rate_limits where id = ${id} and (${tenant}::text is null or tenant = ${tenant})`
    if (row === undefined) throw notFound('limit')
    return row
  }

  function columns() {
    return sql`id, name, scope, subject, tenant, window_seconds, requests, tokens, enabled,
      ${iso(sql, sql`created_at`)} as created_at, ${iso(sql, sql`updated_at`)} as updated_at`
  }
}
