import type { Sql } from 'postgres'
import { clearSecret, openedSigningSecret } from '#lib/signing-secret'
import type { Vault } from '#lib/vault'
import { sealClear } from '#store'

/** It opens for its rule alone. */
export function sealedSecret(vault: Vault, rule: string, plain: string): string {
  return vault.seal(plain, contextOf(rule))
}

/** @throws Error where this process has another SECRET_KEY than the one that sealed it */
export function openedSecret(vault: Vault, rule: string, stored: string): string {
  return openedSigningSecret(vault, stored, contextOf(rule))
}

export async function sealClearSecrets(sql: Sql, vault: Vault): Promise<void> {
  await sealClear(sql, { table: 'queue_alert_rules', prefix: clearSecret }, (plain, rule) =>
    sealedSecret(vault, rule, plain),
  )
}

function contextOf(rule: string): string {
  return `queue-alert/${rule}`
}
