import type { Sql } from 'postgres'
import { errorText, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Vault } from '#lib/vault'
import { openedSecret } from './secrets.ts'
import { sendSigned } from './send.ts'
import type { RuleView, TestView } from './view.ts'

/**
 * Sends one of the type `queue.alert.test`, whatever the rule's state; nothing follows from what is answered.
 * @throws SluiceError 409 `no-webhook`
 */
export async function tryReceiver(
  rule: RuleView,
  { sql, vault, allowPrivate }: { sql: Sql; vault: Vault; allowPrivate: boolean },
): Promise<TestView> {
  const [kept] = await sql<{ url: string | null; secret: string | null }[]>`
    select webhook_url as url, webhook_secret as secret from queue_alert_rules where id = ${rule.id}`
  if (kept === undefined || kept.url === null || kept.secret === null)
    throw new SluiceError(409, 'no-webhook', 'The rule has no webhook: give it one first')
  const { id: rule_id, name, queue, measure, value, threshold } = rule
  const data = { rule_id, name, queue, measure, at: new Date().toISOString(), value, threshold }
  try {
    const target = { url: kept.url, secret: openedSecret(vault, rule_id, kept.secret), allowPrivate }
    const status = await sendSigned({ id: newId(), type: 'queue.alert.test', data }, target)
    const delivered = status >= 200 && status < 300
    return { delivered, status, error: delivered ? null : `the receiver answered ${status}` }
  } catch (error) {
    return { delivered: false, status: null, error: errorText(error, 300) }
  }
}
