import type { Sql } from 'postgres'
import { clearSecret, openedSigningSecret } from '#lib/signing-secret'
import type { Vault } from '#lib/vault'
import { sealClear } from '#store'

/** It opens for its budget alone. */
export function sealedSecret(vault: Vault, budget: string, plain: string): string {
  return vault.seal(plain, contextOf(budget))
}

/** @throws Error where this process has another SECRET_KEY than the one that sealed it */
export function openedSecret(vault: Vault, budget: string, stored: string): string {
  return openedSigningSecret(vault, stored, contextOf(budget))
}

/** Of budgets that a release before this one set. */
export async function sealBudgetSecrets(sql: Sql, vault: Vault): Promise<void> {
  await sealClear(sql, { table: 'budgets', prefix: clearSecret }, (plain, budget) =>
    sealedSecret(vault, budget, plain),
  )
}

function contextOf(budget: string): string {
  return `budget-alert/${budget}`
}
