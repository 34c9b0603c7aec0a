import { z } from 'zod'
import type { Vault } from '#lib/vault'

/** What of a server is kept encrypted and never shown. */
export type Secrets = {
  env: Record<string, string>
  headers: Record<string, string>
  /** The whole URL: tokens stand in its query, and with some vendors in its path. */
  url: string | null
  /** Whole; null: a row of before has them in its spec. */
  args: readonly string[] | null
}

export const noSecrets: Secrets = { env: {}, headers: {}, url: null, args: null }

const secrets = z.object({
  env: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  url: z.string().nullable(),
  args: z.array(z.string()).nullable().default(null),
})

export function sealSecrets(vault: Vault, id: string, all: Secrets): string {
  return vault.seal(JSON.stringify(all), context(id))
}

/** @throws Error where this gateway has another secret, or the row was changed */
export function openSecrets(vault: Vault, id: string, sealed: string): Secrets {
  return secrets.parse(JSON.parse(vault.open(sealed, context(id))))
}

function context(id: string): string {
  return `mcp-server/${id}`
}
