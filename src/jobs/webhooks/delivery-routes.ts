import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Audit, Authorise, Scope } from '#access'
import { SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { audited } from '../audited.ts'
import { stateOf } from '../control/state-of.ts'
import { idOf, reach } from '../reading/job-routes.ts'
import { tryOnce } from './deliver.ts'
import { findDelivery, insertTest, listDeliveries, redeliver } from './delivery-queries.ts'
import { webhookFinder } from './find.ts'
import type { Receivers } from './receivers.ts'
import { deliveryQuery, deliveryView } from './shapes.ts'

const tag = 'jobs'
const page = z.object({ items: z.array(deliveryView), next_cursor: z.null() })
const detail = deliveryView.extend({ data: z.unknown().meta({ description: 'What is told' }) })

export type DeliveryRoutesOptions = {
  sql: Sql
  receivers: Receivers
  authorise: Authorise
  audit?: Audit
}

/** What was told to receivers, and what became of it. */
export function deliveryRoutes({ sql, receivers, authorise, audit }: DeliveryRoutesOptions) {
  const findWebhook = webhookFinder(sql, authorise)
  return new Elysia()
    .get(
      '/api/webhooks/:id/deliveries',
      async ({ request, params: { id } }) => {
        const webhook = await findWebhook(request, id, 'read')
        const { state, limit } = readQuery(request, deliveryQuery)
        const items = await listDeliveries(sql, { webhookId: webhook.id, state }, limit)
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List what was sent to a webhook, newest first', scope: 'read', tag },
        ...{ query: deliveryQuery, answer: page },
      }),
    )
    .get(
      '/api/jobs/:id/deliveries',
      async ({ request, params: { id } }) => {
        const tenant = reach(authorise(request, 'read'), undefined)
        const { state, limit } = readQuery(request, deliveryQuery)
        await stateOf(sql, idOf(id), tenant)
        return Response.json({
          items: await listDeliveries(sql, { jobId: id, state }, limit),
          next_cursor: null,
        })
      },
      routeDoc({
        ...{ summary: 'List who was told of the end of a job', scope: 'read', tag },
        ...{ query: deliveryQuery, answer: page },
      }),
    )
    .get(
      '/api/deliveries/:id',
      async ({ request, params: { id } }) => Response.json(await find(request, id, 'read')),
      routeDoc({ summary: 'Show a delivery, with what it tells', scope: 'read', tag, answer: detail }),
    )
    .post(
      '/api/deliveries/:id/redeliver',
      async ({ request, params: { id } }) => Response.json(await again(request, id), { status: 202 }),
      routeDoc({
        ...{ summary: 'Send a delivery again', scope: 'operator', tag, status: 202, answer: detail },
        description: 'With the same `webhook-id`, and as many tries as a new one.',
      }),
    )
    .post(
      '/api/webhooks/:id/test',
      async ({ request, params: { id } }) => Response.json(await test(request, id)),
      routeDoc({
        ...{
          summary: 'Send a `webhook.test`, and say what came of it',
          scope: 'operator',
          tag,
          answer: detail,
        },
      }),
    )

  async function again(request: Request, text: string) {
    const { id, webhook_id } = await find(request, text, 'operator')
    const { enabled } = await findWebhook(request, webhook_id, 'operator')
    if (!enabled) throw new SluiceError(409, 'webhook-disabled', 'The webhook is disabled: enable it first')
    await audited({ sql, audit }, deed(request, 'redeliver', `delivery:${id}`), async (tx) => {
      if (await redeliver(tx, id)) return
      throw new SluiceError(409, 'delivery-under-way', 'The delivery is being tried already')
    })
    return await find(request, id, 'operator')
  }

  async function test(request: Request, text: string) {
    const webhook = await findWebhook(request, text, 'operator')
    const asked = deed(request, 'test', `webhook:${webhook.id}`)
    const id = await audited({ sql, audit }, asked, (tx) => insertTest(tx, webhook.id))
    await tryOnce({ sql, ...receivers }, id)
    return await find(request, id, 'operator')
  }

  async function find(request: Request, id: string, scope: Scope) {
    const tenant = reach(authorise(request, scope), undefined)
    const delivery = isId(id) ? await findDelivery(sql, id, tenant) : null
    if (delivery === null) throw new SluiceError(404, 'not-found', 'There is no such delivery')
    return delivery
  }

  function deed(request: Request, action: string, subject: string) {
    return { request, principal: authorise(request, 'operator'), action: `webhook.${action}`, subject }
  }
}
