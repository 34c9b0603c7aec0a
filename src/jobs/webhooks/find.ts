import type { Sql } from 'postgres'
import { type Authorise, may, type Principal, type Scope } from '#access'
import { SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { reach } from '../reading/job-routes.ts'
import { findWebhook } from './queries.ts'
import type { WebhookView } from './shapes.ts'

/** @throws SluiceError 404, also where it is another tenant's */
export function webhookFinder(sql: Sql, authorise: Authorise) {
  return async (request: Request, id: string, scope: Scope): Promise<WebhookView> => {
    const principal = authorise(request, scope)
    const webhook = isId(id) ? await findWebhook(sql, id, reach(principal, undefined)) : null
    if (webhook === null) throw new SluiceError(404, 'not-found', 'There is no such webhook')
    return shown(webhook, principal)
  }
}

/** The path of a receiver is often its secret. */
export function shown(webhook: WebhookView, principal: Principal): WebhookView {
  if (may(principal, 'operator')) return webhook
  return { ...webhook, url: URL.parse(webhook.url)?.origin ?? '' }
}
