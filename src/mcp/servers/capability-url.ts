import { hash, randomBytes } from 'node:crypto'

/** A secret path, as in `/mcp/s/…`: 256 random bits, shown once. */
export function makeSecret(): { secret: string; hash: string; last4: string } {
  const secret = randomBytes(32).toString('base64url')
  return { secret, hash: hashSecret(secret), last4: secret.slice(-4) }
}

/** A fast hash without salt will do: there is nothing to guess in 256 random bits. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64')
}

export function secretPath(secret: string): string {
  return `/mcp/s/${secret}`
}
