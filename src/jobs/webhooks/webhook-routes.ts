import { Elysia } from 'elysia'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import type { Audit, Authorise } from '#access'
import { newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { checkUrlAt } from '#lib/safe-request'
import { audited } from '../audited.ts'
import { reach } from '../reading/job-routes.ts'
import { shown, webhookFinder } from './find.ts'
import { deleteWebhook, insertWebhook, listWebhooks, rotateSecret, updateWebhook } from './queries.ts'
import { newSecret, type Receivers, sealed } from './receivers.ts'
import { newWebhookView, rotation, webhookChange, webhookInput, webhookView } from './shapes.ts'

const tag = 'jobs'
const listed = 200

const description = `Signed by the scheme of Standard Webhooks (\`webhook-id\`, \`-timestamp\`, \`-signature\`), tried for about a day, with the same \`webhook-id\` each time, later where it answers 429 or 503 with \`Retry-After\` (up to 8 hours). A receiver that answers 410 is disabled. Redirects are not followed, and addresses of private networks are refused unless the operator allows them.

A body is \`{"type": "job.succeeded", "timestamp": …, "data": {…}}\`: what the job was when it ended, its error, and where its result is.`

export type WebhookRoutesOptions = {
  sql: Sql
  receivers: Receivers
  authorise: Authorise
  audit?: Audit
}

/** Who is told of the end of jobs. */
export function webhookRoutes({ sql, receivers, authorise, audit }: WebhookRoutesOptions) {
  const find = webhookFinder(sql, authorise)
  return new Elysia()
    .post(
      '/api/webhooks',
      async ({ request }) => Response.json(await create(request), { status: 201 }),
      routeDoc({
        ...{ summary: 'Have a receiver told of the end of jobs', description, scope: 'operator', tag },
        ...{ body: webhookInput, answer: newWebhookView, status: 201 },
      }),
    )
    .get(
      '/api/webhooks',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const items = await listWebhooks(sql, reach(principal, undefined), listed)
        return Response.json({ items: items.map((one) => shown(one, principal)), next_cursor: null })
      },
      routeDoc({
        ...{ summary: `List the newest ${listed} webhooks`, scope: 'read', tag },
        answer: z.object({ items: z.array(webhookView), next_cursor: z.null() }),
      }),
    )
    .get(
      '/api/webhooks/:id',
      async ({ request, params: { id } }) => Response.json(await find(request, id, 'read')),
      routeDoc({ summary: 'Show a webhook', scope: 'read', tag, answer: webhookView }),
    )
    .patch(
      '/api/webhooks/:id',
      async ({ request, params: { id } }) => {
        const webhook = await find(request, id, 'operator')
        const change = await readJson(request, webhookChange)
        if (change.url !== undefined) checkUrlAt('/url', change.url, receivers.allowPrivate)
        await deed(request, 'change', webhook.id, (tx) => updateWebhook(tx, webhook.id, change))
        return Response.json(await find(request, id, 'operator'))
      },
      routeDoc({
        ...{ summary: 'Change a webhook, disable or enable it', scope: 'operator', tag },
        description: 'While it is disabled nothing is kept for it.',
        ...{ body: webhookChange, answer: webhookView },
      }),
    )
    .post(
      '/api/webhooks/:id/rotate',
      async ({ request, params: { id } }) => Response.json(await rotate(request, id)),
      routeDoc({
        ...{ summary: 'Give a webhook another secret', scope: 'operator', tag },
        description: 'For `keep` seconds what is sent carries a signature of each.',
        ...{ body: rotation, answer: newWebhookView },
      }),
    )
    .delete(
      '/api/webhooks/:id',
      async ({ request, params: { id } }) => {
        const webhook = await find(request, id, 'operator')
        await deed(request, 'delete', webhook.id, (tx) => deleteWebhook(tx, webhook.id))
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a webhook, and its deliveries', scope: 'operator', tag, status: 204 }),
    )

  async function create(request: Request) {
    const { tenant, keyId: key_id } = authorise(request, 'operator')
    const { secret = newSecret(), ...input } = await readJson(request, webhookInput)
    // What can be seen at once is told at once; the rest when it is sent.
    checkUrlAt('/url', input.url, receivers.allowPrivate)
    const id = newId()
    const row = { ...input, id, tenant, key_id, secret: sealed(receivers, id, secret) }
    const made = await deed(request, 'create', id, (tx) => insertWebhook(tx, row))
    return { ...made, secret }
  }

  async function rotate(request: Request, text: string) {
    const { id } = await find(request, text, 'operator')
    const { secret = newSecret(), keep } = await readJson(request, rotation)
    const next = { secret: sealed(receivers, id, secret), keepS: keep }
    await deed(request, 'rotate', id, (tx) => rotateSecret(tx, id, next))
    return { ...(await find(request, id, 'operator')), secret }
  }

  async function deed<Result>(
    request: Request,
    action: string,
    id: string,
    work: (tx: TransactionSql) => Promise<Result>,
  ): Promise<Result> {
    const principal = authorise(request, 'operator')
    const asked = { request, principal, action: `webhook.${action}`, subject: `webhook:${id}` }
    return await audited({ sql, audit }, asked, work)
  }
}
