import { randomBytes } from 'node:crypto'
import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Audit, Authorise, Scope } from '#access'
import { SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { checkedUrl } from '#lib/safe-request'
import { reach } from '../reading/job-routes.ts'
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listDeliveries,
  listWebhooks,
  updateWebhook,
} from './queries.ts'
import {
  deliveryView,
  newWebhookView,
  type WebhookView,
  webhookChange,
  webhookInput,
  webhookView,
} from './shapes.ts'

const tag = 'jobs'
const listed = 200

const description = `Signed by the scheme of Standard Webhooks (\`webhook-id\`, \`-timestamp\`, \`-signature\`), tried for about a day, with the same \`webhook-id\` each time. A receiver that answers 410 is disabled. Redirects are not followed, and addresses of private networks are refused unless the operator allows them.

A body is \`{"type": "job.succeeded", "timestamp": …, "data": {…}}\`, with the job as a list shows it and its result up to 64 KB.`

export type WebhookRoutesOptions = {
  sql: Sql
  authorise: Authorise
  audit?: Audit
  /** May receivers be on this machine or its network? */
  allowPrivate: boolean
}

/** Who is told of the end of jobs. */
export function webhookRoutes({ sql, authorise, audit, allowPrivate }: WebhookRoutesOptions) {
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
        const tenant = reach(authorise(request, 'read'), undefined)
        return Response.json({ items: await listWebhooks(sql, tenant, listed), next_cursor: null })
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
    .get(
      '/api/webhooks/:id/deliveries',
      async ({ request, params: { id } }) => {
        const webhook = await find(request, id, 'read')
        return Response.json({ items: await listDeliveries(sql, webhook.id, listed), next_cursor: null })
      },
      routeDoc({
        ...{ summary: `List the newest ${listed} deliveries of a webhook`, scope: 'read', tag },
        answer: z.object({ items: z.array(deliveryView), next_cursor: z.null() }),
      }),
    )
    .patch(
      '/api/webhooks/:id',
      async ({ request, params: { id } }) => Response.json(await change(request, id)),
      routeDoc({
        ...{ summary: 'Change a webhook, disable or enable it', scope: 'operator', tag },
        ...{ body: webhookChange, answer: webhookView },
      }),
    )
    .delete(
      '/api/webhooks/:id',
      async ({ request, params: { id } }) => {
        const webhook = await find(request, id, 'operator')
        await deleteWebhook(sql, webhook.id)
        await record(request, 'webhook.delete', webhook.id)
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a webhook', scope: 'operator', tag, status: 204 }),
    )

  async function create(request: Request) {
    const { tenant, keyId: key_id } = authorise(request, 'operator')
    const input = await readJson(request, webhookInput)
    // What can be seen at once is told at once; the rest when it is sent.
    checkedUrl(input.url, allowPrivate)
    const secret = `whsec_${randomBytes(24).toString('base64')}`
    const made = await insertWebhook(sql, { ...input, id: newId(), tenant, key_id, secret })
    await record(request, 'webhook.create', made.id)
    return { ...made, secret }
  }

  async function change(request: Request, id: string): Promise<WebhookView> {
    const webhook = await find(request, id, 'operator')
    const changed = await updateWebhook(sql, webhook, await readJson(request, webhookChange))
    await record(request, 'webhook.change', webhook.id)
    return changed
  }

  async function find(request: Request, id: string, scope: Scope): Promise<WebhookView> {
    const tenant = reach(authorise(request, scope), undefined)
    const webhook = isId(id) ? await findWebhook(sql, id, tenant) : null
    if (webhook === null) throw new SluiceError(404, 'not-found', 'There is no such webhook')
    return webhook
  }

  async function record(request: Request, action: string, id: string): Promise<void> {
    await audit?.record(request, authorise(request, 'operator'), { action, subject: `webhook:${id}` })
  }
}
