import { Elysia } from 'elysia'
import { may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { type Board, tag } from '../board-deps.ts'
import { wholeBody } from './bodies.ts'
import { deadLettersOf } from './dead-letters.ts'
import { rowOf } from './detail.ts'
import { listRows } from './list.ts'
import { rowQuery } from './query.ts'
import { deadLetters, rowDetail, rowList } from './view.ts'

/** The jobs that are rows, as pages read them. */
export function rowRoutes({ authorise, sql }: Board) {
  const tenantOf = (request: Request) => tenantFor(authorise(request, 'read'))
  return new Elysia()
    .get(
      '/api/queues/jobs/rows',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const query = readQuery(request, rowQuery)
        const tenant = tenantFor(principal) ?? query.tenant ?? null
        if (query.tenant !== undefined && query.tenant !== tenant) throw otherTenant(query.tenant)
        return Response.json(await listRows(sql, tenant, query), noStore)
      },
      routeDoc({
        summary: 'Jobs by state, kind, tag, time and words, newest first',
        ...{ scope: 'read', tag, query: rowQuery, answer: rowList },
      }),
    )
    .get(
      '/api/queues/jobs/dead-letters',
      async ({ request }) => Response.json(await deadLettersOf(sql, tenantOf(request)), noStore),
      routeDoc({ summary: 'Failed jobs by kind and reason', scope: 'read', tag, answer: deadLetters }),
    )
    .get(
      '/api/queues/jobs/rows/:id',
      async ({ request, params: { id } }) => {
        const tenant = tenantOf(request)
        const row = isId(id) ? await rowOf(sql, { id, tenant }) : null
        if (row === null) throw noJob()
        return Response.json(row, noStore)
      },
      routeDoc({
        summary: 'One job: what it carries, its attempts, its log',
        scope: 'read',
        tag,
        answer: rowDetail,
      }),
    )
    .get(
      '/api/queues/jobs/rows/:id/:part',
      async ({ request, params: { id, part } }) => {
        const tenant = tenantOf(request)
        const body = isId(id) && parts.has(part) ? await wholeBody(sql, { id, tenant, part }) : null
        if (body === null) throw noJob()
        const file = `attachment; filename="${id}-${part}.json"`
        return new Response(new Uint8Array(body), {
          headers: { ...noStore.headers, 'content-type': 'application/json', 'content-disposition': file },
        })
      },
      routeDoc({
        summary: 'The whole input, result or stack of a job',
        ...{ scope: 'read', tag, answer: 'application/json' },
      }),
    )
}

const parts = new Set(['input', 'result', 'stack'])
const noStore = { headers: { 'cache-control': 'no-store' } }

function tenantFor(principal: Principal): string | null {
  return may(principal, 'admin') ? null : principal.tenant
}

function noJob(): SluiceError {
  return new SluiceError(404, 'not-found', 'There is no such job')
}

function otherTenant(tenant: string): SluiceError {
  return new SluiceError(403, 'forbidden', `tenant ${tenant.slice(0, 64)}: this key belongs to another`)
}
