import { Elysia } from 'elysia'
import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { makeSecret, secretPath } from './capability-url.ts'
import type { RowRoutesOptions } from './server-routes.ts'
import { serverQuery, tenantName } from './server-shapes.ts'
import { portalName } from './settings.ts'

const tag = 'mcp'
const scope = 'admin'

const body = z.strictObject({
  name: z.string().max(200).default(''),
  tenant: tenantName.optional(),
  portal: portalName.nullable().default(null).meta({ description: 'Null: all that the tenant sees' }),
  scopes: z
    .array(z.enum(['call', 'read', 'replay']))
    .min(1)
    .default(['call'])
    .meta({ description: 'Whoever knows the address has these: never those of an admin' }),
  capture: z.enum(['full', 'metadata']).nullable().default(null),
  tags: z
    .array(z.string().regex(/^[\w.:@/+-]{1,64}$/, 'must be 1 to 64 of letters, digits and _ . : @ / + -'))
    .max(20)
    .default([]),
  expires_at: z.iso
    .datetime({ offset: true })
    .refine((at) => Date.parse(at) > Date.now(), 'must be in the future')
    .nullable()
    .default(null),
})

const view = z.object({
  id: z.uuid(),
  name: z.string(),
  tenant: z.string(),
  portal: z.string().nullable(),
  last4: z.string(),
  scopes: z.array(z.string()),
  capture: z.enum(['full', 'metadata']).nullable(),
  tags: z.array(z.string()),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
})
type View = z.infer<typeof view>

/** Secret paths for clients that can send no header. Shown once, kept hashed. */
export function urlRoutes({ sql, servers, authorise }: RowRoutesOptions) {
  return new Elysia()
    .get(
      '/api/mcp/urls',
      async ({ request }) => {
        authorise(request, scope)
        const { tenant = null } = readQuery(request, serverQuery)
        const items = await sql<View[]>`
          select ${shown()} from mcp_urls where ${tenant}::text is null or tenant = ${tenant}::text
          order by id desc limit 1000`
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List secret addresses, newest first', scope, tag, query: serverQuery },
        answer: z.object({ items: z.array(view), next_cursor: z.null() }),
      }),
    )
    .post(
      '/api/mcp/urls',
      async ({ request }) => {
        const principal = authorise(request, scope)
        const one = await readJson(request, body)
        const { secret, hash, last4 } = makeSecret()
        const [row] = await sql<View[]>`
          insert into mcp_urls (id, tenant, name, hash, last4, portal, scopes, capture, tags, created_by, expires_at)
          select ${newId()}, id, ${one.name}, ${hash}, ${last4}, ${one.portal}, ${one.scopes}::text[], ${one.capture},
            ${one.tags}::text[], ${principal.keyId}::uuid, ${one.expires_at}::timestamptz
          from tenants where id = ${one.tenant ?? principal.tenant}
          returning ${shown()}`
        if (row === undefined)
          throw new InputError(422, 'bad-body', [{ pointer: '/tenant', detail: 'does not exist' }])
        await servers.refresh().catch(() => {})
        const headers = { 'cache-control': 'no-store' }
        return Response.json({ ...row, url_path: secretPath(secret) }, { status: 201, headers })
      },
      routeDoc({
        ...{ summary: 'Make a secret address; the answer is the only place that shows it', scope, tag, body },
        ...{ answer: view.extend({ url_path: z.string() }), status: 201 },
      }),
    )
    .delete(
      '/api/mcp/urls/:id',
      async ({ request, params: { id } }) => {
        authorise(request, scope)
        const [row] = isId(id)
          ? await sql<View[]>`
              update mcp_urls set revoked_at = coalesce(revoked_at, now()) where id = ${id} returning ${shown()}`
          : []
        if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such address')
        await servers.refresh().catch(() => {})
        return Response.json(row)
      },
      routeDoc({ summary: 'Revoke a secret address', scope, tag, answer: view }),
    )

  function shown() {
    const time = (column: string) =>
      sql`to_char(${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`
    return sql`id, name, tenant, portal, last4, scopes, capture, tags,
      ${time('created_at')}, ${time('expires_at')}, ${time('revoked_at')}`
  }
}
