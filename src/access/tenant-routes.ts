import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Access } from './access.ts'
import type { Audit } from './audit.ts'
import { getTenant, insertTenant, listTenants } from './queries.ts'
import { listOf, pageOf, tenantInput, tenantQuery, tenantView } from './shapes.ts'

const tag = 'access'

export function tenantRoutes({ reads, access, audit }: { reads: Sql; access: Access; audit: Audit }) {
  const { authorise } = access
  return new Elysia()
    .post(
      '/api/tenants',
      async ({ request }) => {
        const principal = authorise(request, 'admin')
        const { id, name } = await readJson(request, tenantInput)
        const asked = { request, principal, action: 'tenant.create', subject: `tenant:${id}` }
        const made = await audit.change(asked, async (tx) => {
          const row = await insertTenant(tx, { id, name: name ?? id })
          if (row !== null) return row
          throw new SluiceError(409, 'tenant-exists', `There is a tenant ${id} already`)
        })
        return Response.json(made, { status: 201 })
      },
      routeDoc({
        summary: 'Create a tenant',
        scope: 'admin',
        tag,
        body: tenantInput,
        answer: tenantView,
        status: 201,
      }),
    )
    .get(
      '/api/tenants',
      async ({ request }) => {
        authorise(request, 'admin')
        const { limit, cursor } = readQuery(request, tenantQuery)
        return Response.json(pageOf(await listTenants(reads, { limit, after: cursor ?? null }), limit))
      },
      routeDoc({
        summary: 'List tenants',
        scope: 'admin',
        tag,
        query: tenantQuery,
        answer: listOf(tenantView),
      }),
    )
    .get(
      '/api/tenants/:id',
      async ({ request, params: { id } }) => {
        authorise(request, 'admin')
        const row = id.includes('\u0000') ? null : await getTenant(reads, id)
        if (row === null) throw new SluiceError(404, 'not-found', 'There is no such tenant')
        return Response.json(row)
      },
      routeDoc({ summary: 'Show a tenant', scope: 'admin', tag, answer: tenantView }),
    )
}
