import { Elysia } from 'elysia'
import type { JSONValue } from 'postgres'
import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { RowRoutesOptions } from './server-routes.ts'
import { serverQuery, tenantName } from './server-shapes.ts'
import { visibilitySpec } from './settings.ts'

const tag = 'mcp'
const scope = 'admin'

const body = visibilitySpec.extend({
  tenant: tenantName.optional(),
  key_id: z.uuid().nullable().default(null).meta({ description: 'Null: all keys of the tenant' }),
})
const view = visibilitySpec.extend({ id: z.uuid(), tenant: z.string(), key_id: z.uuid().nullable() })

/** Who may see and call which tools. Without a row everybody sees all of the own tenant. */
export function visibilityRoutes({ sql, servers, authorise }: RowRoutesOptions) {
  return new Elysia()
    .get(
      '/api/mcp/visibility',
      async ({ request }) => {
        authorise(request, scope)
        const { tenant = null } = readQuery(request, serverQuery)
        const rows = await sql<Row[]>`
          select id, tenant, key_id, spec from mcp_visibility
          where ${tenant}::text is null or tenant = ${tenant}::text order by tenant, id`
        return Response.json({ items: rows.map(shown), next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List who may see and call which tools', scope, tag, query: serverQuery },
        answer: z.object({ items: z.array(view), next_cursor: z.null() }),
      }),
    )
    .put(
      '/api/mcp/visibility',
      async ({ request }) => {
        const { tenant: own } = authorise(request, scope)
        const { tenant = own, key_id, ...spec } = await readJson(request, body)
        const [row] = await sql<Row[]>`
          insert into mcp_visibility (id, tenant, key_id, spec)
          select ${newId()}, id, ${key_id}::uuid, ${sql.json(spec as JSONValue)} from tenants where id = ${tenant}
          on conflict (tenant, coalesce(key_id, '00000000-0000-0000-0000-000000000000'))
            do update set spec = excluded.spec, updated_at = now()
          returning id, tenant, key_id, spec`
        if (row === undefined)
          throw new InputError(422, 'bad-body', [{ pointer: '/tenant', detail: 'does not exist' }])
        await servers.refresh().catch(() => {})
        return Response.json(shown(row))
      },
      routeDoc({
        ...{
          summary: 'Say what a tenant’s keys, or one key, may see and call',
          scope,
          tag,
          body,
          answer: view,
        },
        description:
          'Both rules hold for a key that has one of its own. Keys of admins see all of their tenant.',
      }),
    )
    .delete(
      '/api/mcp/visibility/:id',
      async ({ request, params: { id } }) => {
        authorise(request, scope)
        const gone = isId(id) ? await sql`delete from mcp_visibility where id = ${id}` : { count: 0 }
        if (gone.count === 0) throw new SluiceError(404, 'not-found', 'There is no such rule')
        await servers.refresh().catch(() => {})
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Take such a rule back', scope, tag, status: 204 }),
    )
}

type Row = { id: string; tenant: string; key_id: string | null; spec: unknown }

function shown({ id, tenant, key_id, spec }: Row) {
  return { id, tenant, key_id, ...(spec as object) }
}
