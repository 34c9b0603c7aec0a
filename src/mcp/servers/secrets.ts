import { z } from 'zod'
import type { Vault } from '#lib/vault'

/** What of a server is kept encrypted and never shown. */
export type Secrets = {
  env: Record<string, string>
  headers: Record<string, string>
  /** The whole URL: tokens stand in its query, and with some vendors in its path. */
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

/** What stands for what is not shown. */
export const hidden = '…'

/** A URL as it may be shown: without the values of its query, and without parts of its path that nobody types. */
export function shownUrl(url: string): string {
  const [, start = '', path = '', rest = ''] = /^([a-z]+:\/\/[^/?#]*)?([^?#]*)(.*)$/is.exec(url) ?? []
  const shownPath = path.replace(/[^/]{20,}/g, hidden)
  return start + shownPath + rest.replace(/=[^&#]*/g, `=${hidden}`)
}

function context(id: string): string {
  return `mcp-server/${id}`
}
