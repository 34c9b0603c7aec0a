import { z } from 'zod'
import type { Vault } from '#lib/vault'

/** What of a server is kept encrypted and never shown. */
export type Secrets = {
  env: Record<string, string>
  headers: Record<string, string>
  /** The whole URL, where it has a query: tokens stand there too often. */
  url: string | null
}

const secrets = z.object({
  env: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  url: z.string().nullable(),
})

export function sealSecrets(vault: Vault, id: string, all: Secrets): string {
  return vault.seal(JSON.stringify(all), context(id))
}

/** @throws Error where this gateway has another secret, or the row was changed */
export function openSecrets(vault: Vault, id: string, sealed: string): Secrets {
  return secrets.parse(JSON.parse(vault.open(sealed, context(id))))
}

/** A URL as it may be shown: values of its query are left out. */
export function shownUrl(url: string): string {
  const at = url.indexOf('?')
  if (at === -1) return url
  return `${url.slice(0, at)}?${url.slice(at + 1).replace(/=[^&#]*/g, '=…')}`
}

function context(id: string): string {
  return `mcp-server/${id}`
}
