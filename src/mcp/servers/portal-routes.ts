import { Elysia } from 'elysia'
import type { JSONValue } from 'postgres'
import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { checkBody, readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { RowRoutesOptions } from './server-routes.ts'
import { serverQuery } from './server-shapes.ts'
import { portalName, portalSpec } from './settings.ts'

const tag = 'mcp'
const scope = 'admin'

const view = portalSpec.extend({ name: z.string(), tenant: z.string(), url_path: z.string() })

/** Named selections of servers and tools, as in `/mcp/{name}`. */
export function portalRoutes({ sql, servers, authorise }: RowRoutesOptions) {
  return new Elysia()
    .get(
      '/api/mcp/portals',
      async ({ request }) => {
        authorise(request, scope)
        const { tenant = null } = readQuery(request, serverQuery)
        const rows = await sql<Row[]>`
          select tenant, name, spec from mcp_portals where ${tenant}::text is null or tenant = ${tenant}::text
          order by tenant, name`
        return Response.json({ items: rows.map(shown), next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List portals: named selections of servers and tools', scope, tag, query: serverQuery },
        answer: z.object({ items: z.array(view), next_cursor: z.null() }),
      }),
    )
    .get(
      '/api/mcp/portals/:name',
      async ({ request, params: { name } }) => {
        const tenant = tenantOf(request)
        const [row] = await sql<Row[]>`
          select tenant, name, spec from mcp_portals where tenant = ${tenant} and name = ${name}`
        if (row === undefined) throw notFound(name)
        return Response.json(shown(row))
      },
      routeDoc({ summary: 'Show a portal', scope, tag, query: serverQuery, answer: view }),
    )
    .put(
      '/api/mcp/portals/:name',
      async ({ request, params: { name } }) => {
        const tenant = tenantOf(request)
        const spec = await readJson(request, portalSpec)
        if (!portalName.safeParse(name).success) throw badName(name)
        const [row] = await sql<(Row & { made: boolean })[]>`
          insert into mcp_portals (id, tenant, name, spec)
          select ${newId()}, id, ${name}, ${sql.json(spec as JSONValue)} from tenants where id = ${tenant}
          on conflict (tenant, name) do update set spec = excluded.spec, updated_at = now()
          returning tenant, name, spec, (xmax = 0) as made`
        if (row === undefined)
          throw new InputError(422, 'bad-body', [{ pointer: '?tenant', detail: 'does not exist' }])
        await servers.refresh().catch(() => {})
        return Response.json(shown(row), { status: row.made ? 201 : 200 })
      },
      routeDoc({
        ...{ summary: 'Make a portal, or replace it', scope, tag, query: serverQuery },
        ...{ body: portalSpec, answer: view },
      }),
    )
    .delete(
      '/api/mcp/portals/:name',
      async ({ request, params: { name } }) => {
        const tenant = tenantOf(request)
        const gone = await sql`delete from mcp_portals where tenant = ${tenant} and name = ${name}`
        if (gone.count === 0) throw notFound(name)
        await servers.refresh().catch(() => {})
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Remove a portal', scope, tag, query: serverQuery, status: 204 }),
    )

  function tenantOf(request: Request): string {
    const { tenant: own } = authorise(request, scope)
    return readQuery(request, serverQuery).tenant ?? own
  }
}

type Row = { tenant: string; name: string; spec: unknown }

function shown({ tenant, name, spec }: Row) {
  return { name, tenant, url_path: `/mcp/${name}`, ...checkBody(spec, portalSpec) }
}

function notFound(name: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no portal ${JSON.stringify(name.slice(0, 100))}`)
}

function badName(name: string): SluiceError {
  return new SluiceError(
    422,
    'bad-name',
    `${JSON.stringify(name.slice(0, 64))} cannot be the name of a portal`,
  )
}
