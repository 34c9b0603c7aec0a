import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Access } from './access.ts'
import { may } from './principal.ts'
import { listOf, pageOf } from './shapes.ts'

const word = z.string().max(200).optional()

export const auditQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.uuid('must be a next_cursor of this list').optional(),
  action: word.meta({ description: 'What it begins with, as in `queue.`' }),
  subject: word,
})

export const auditView = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  tenant: z.string(),
  key_id: z.uuid().nullable().meta({ description: 'null: the admin key' }),
  key_name: z.string().nullable(),
  via: z.enum(['page', 'key']),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()).nullable(),
  address: z.string().nullable().meta({ description: 'Behind TRUSTED_PROXIES that of the client' }),
  forwarded: z.string().nullable().meta({ description: 'As the request says; anybody can make it up' }),
  outcome: z.string(),
})
export type AuditView = z.infer<typeof auditView>

/** Who did what; an operator sees its own tenant. */
export function auditRoutes({ reads, access }: { reads: Sql; access: Access }) {
  return new Elysia().get(
    '/api/audit',
    async ({ request }) => {
      const principal = access.authorise(request, 'operator')
      const { limit, cursor = null, action = null, subject = null } = readQuery(request, auditQuery)
      const tenant = may(principal, 'admin') ? null : principal.tenant
      const rows = await reads<AuditView[]>`
        select a.id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, a.tenant, a.key_id,
          k.name as key_name, a.via, a.action, a.subject, a.detail, a.address, a.forwarded, a.outcome
        from audit_log a left join access_keys k on k.id = a.key_id
        where (${tenant}::text is null or a.tenant = ${tenant})
          and (${cursor}::uuid is null or a.id < ${cursor}::uuid)
          and (${action}::text is null or starts_with(a.action, ${action}))
          and (${subject}::text is null or a.subject = ${subject})
        order by a.id desc limit ${limit + 1}`
      return Response.json(pageOf(rows, limit))
    },
    routeDoc({
      summary: 'What people did, newest first',
      scope: 'operator',
      tag: 'access',
      query: auditQuery,
      answer: listOf(auditView),
    }),
  )
}
