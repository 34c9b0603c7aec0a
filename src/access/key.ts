import { hash, randomBytes } from 'node:crypto'

export const keyPrefix = 'sk-sluice-'

export type NewKey = {
  /** Shown once, kept nowhere. */
  key: string
  hash: string
  prefix: string
  last4: string
}

/** A new key: the prefix and 256 random bits. `kind` tells an admin key from the others at a glance. */
export function makeKey(kind: '' | 'admin-' = ''): NewKey {
  const key = `${keyPrefix}${kind}${randomBytes(32).toString('base64url')}`
  return {
    key,
    hash: hashKey(key),
    prefix: key.slice(0, keyPrefix.length + kind.length + 4),
    last4: key.slice(-4),
  }
}

/**
 * The sha256 of a key, base64. A fast hash without salt is right here, as it would not be for a password: there
 * is nothing to guess in 256 random bits. An `ADMIN_KEY` that a person chose is hashed in memory only, never
 * stored. 0.3 µs, so plain keys need not be kept to remember their hash.
 */
export function hashKey(key: string): string {
  return hash('sha256', key, 'base64')
}
