import { Elysia } from 'elysia'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { type Audit, type Authorise, may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { text } from '#lib/fields'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { audited } from '../audited.ts'
import type { Announcer } from '../events/announce.ts'
import { idOf, reach } from '../reading/job-routes.ts'
import type { Registry } from '../registry.ts'
import { states } from '../states.ts'
import { cancelJob, tellCancelled } from './cancel.ts'
import { promoteJob } from './promote.ts'
import { removeJob } from './remove.ts'
import { retryJob } from './retry.ts'

const tag = 'jobs'
const cancelBody = z.strictObject({
  reason: text.min(1).max(500).optional(),
})
const moved = z.object({ id: z.uuid(), state: z.enum(states) })

export type ControlRoutesOptions = {
  sql: Sql
  registry: Registry
  announcer: Announcer
  authorise: Authorise
  audit?: Audit
}

/** What is done to one job of the own tenant. */
export function controlRoutes({ sql, registry, announcer, authorise, audit }: ControlRoutesOptions) {
  return new Elysia()
    .post(
      '/api/jobs/:id/cancel',
      async ({ request, params: { id } }) => Response.json(await cancel(request, id), { status: 202 }),
      routeDoc({
        summary: 'Cancel a job',
        description:
          'At once where it does not run; where it does, its worker is told to abort it, and it is `running` until it has.',
        ...{ scope: 'call', tag, body: cancelBody, answer: moved, status: 202 },
      }),
    )
    .post(
      '/api/jobs/:id/retry',
      async ({ request, params: { id } }) => Response.json(await retry(request, id), { status: 202 }),
      routeDoc({
        summary: 'Run a job again that failed, was cancelled or expired',
        description:
          'The same job, with its history and a fresh budget of attempts; its ttl and its dependencies no longer count.',
        ...{ scope: 'call', tag, answer: moved, status: 202 },
      }),
    )
    .post(
      '/api/jobs/:id/promote',
      async ({ request, params: { id } }) => Response.json(await promote(request, id), { status: 202 }),
      routeDoc({
        summary: 'Run a job now that is scheduled for later',
        ...{ scope: 'operator', tag, answer: moved, status: 202 },
      }),
    )
    .delete(
      '/api/jobs/:id',
      async ({ request, params: { id } }) => await remove(request, id),
      routeDoc({
        summary: 'Remove a job that has ended',
        ...{ scope: 'operator', tag, status: 204 },
      }),
    )

  async function promote(request: Request, text: string) {
    const principal = authorise(request, 'operator')
    const id = idOf(text)
    const tenant = reach(principal, undefined)
    const state = await deed('promote', { request, principal, id }, (tx) => promoteJob(tx, { id, tenant }))
    announcer.due()
    announcer.changed(id)
    return { id, state }
  }

  async function remove(request: Request, text: string): Promise<Response> {
    const principal = authorise(request, 'operator')
    const id = idOf(text)
    const tenant = reach(principal, undefined)
    await deed('remove', { request, principal, id }, (tx) => removeJob(tx, { id, tenant }))
    return new Response(null, { status: 204 })
  }

  async function cancel(request: Request, text: string) {
    const principal = authorise(request, 'call')
    const { reason = null } = await readJson(request, cancelBody)
    const id = idOf(text)
    const asked = { id, tenant: reach(principal, undefined), reason }
    const cancelled = await deed('cancel', { request, principal, id }, (tx) => cancelJob(tx, asked))
    await tellCancelled(sql, announcer, [cancelled])
    return cancelled
  }

  /** What a key may not submit it may not have run again. Operators may. @throws SluiceError 403 */
  async function checkScopes(principal: Principal, id: string): Promise<void> {
    if (may(principal, 'operator')) return
    const [job] = await sql<{ kind: string }[]>`
      select kind from jobs where id = ${id} and tenant = ${principal.tenant}`
    const needs = job === undefined ? [] : (registry.find(job.kind)?.needs ?? [])
    const lacking = needs.find((scope) => !may(principal, scope))
    if (lacking !== undefined)
      throw new SluiceError(403, 'forbidden', `A job of this kind needs the scope ${lacking} too`)
  }

  async function retry(request: Request, text: string) {
    const principal = authorise(request, 'call')
    const id = idOf(text)
    await checkScopes(principal, id)
    const tenant = reach(principal, undefined)
    const state = await deed('retry', { request, principal, id }, (tx) => retryJob(tx, { id, tenant }))
    announcer.due()
    announcer.changed(id)
    return { id, state }
  }

  async function deed<Result>(
    action: string,
    { id, ...who }: { request: Request; principal: Principal; id: string },
    work: (tx: TransactionSql) => Promise<Result>,
  ): Promise<Result> {
    return await audited({ sql, audit }, { ...who, action: `job.${action}`, subject: `job:${id}` }, work)
  }
}
