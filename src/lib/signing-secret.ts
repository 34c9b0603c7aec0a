import { randomBytes } from 'node:crypto'
import type { Vault } from './vault.ts'

/** How a secret that signs webhooks begins while it is not sealed (Standard Webhooks). */
export const clearSecret = 'whsec_'

export function newSigningSecret(): string {
  return `${clearSecret}${randomBytes(24).toString('base64')}`
}

/**
 * One that an earlier release stored in clear is what it is.
 * @throws Error where this process has another SECRET_KEY than the one that sealed it
 */
export function openedSigningSecret(vault: Vault, stored: string, context: string): string {
  return stored.startsWith(clearSecret) ? stored : vault.open(stored, context)
}
