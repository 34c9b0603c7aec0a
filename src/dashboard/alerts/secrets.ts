import { randomBytes } from 'node:crypto'
import type { Sql } from 'postgres'
import type { Vault } from '#lib/vault'

/** Signs what is sent to the receiver of a rule, by the Standard Webhooks scheme. */
export function newSecret(): string {
  return `${clearPrefix}${randomBytes(24).toString('base64')}`
}

/** It opens for its rule alone. */
export function sealedSecret(vault: Vault, rule: string, plain: string): string {
  return vault.seal(plain, contextOf(rule))
}

/** @throws Error where this process has another SECRET_KEY than the one that sealed it */
export function openedSecret(vault: Vault, rule: string, stored: string): string {
  return stored.startsWith(clearPrefix) ? stored : vault.open(stored, contextOf(rule))
}

/** Seals what a release before this one stored in clear. */
export async function sealClearSecrets(sql: Sql, vault: Vault): Promise<void> {
  const rows = await sql<{ id: string; secret: string }[]>`
    select id, webhook_secret as secret from queue_alert_rules where starts_with(webhook_secret, ${clearPrefix})`
  for (const { id, secret } of rows) {
    await sql`
      update queue_alert_rules set webhook_secret = ${sealedSecret(vault, id, secret)}
      where id = ${id} and webhook_secret = ${secret}`
  }
}

const clearPrefix = 'whsec_'

function contextOf(rule: string): string {
  return `queue-alert/${rule}`
}
