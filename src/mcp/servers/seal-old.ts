import type { JSONValue, Sql } from 'postgres'
import type { Vault } from '#lib/vault'
import { openSecrets, type Secrets, sealSecrets } from './secrets.ts'
import { serverSpec } from './settings.ts'
import { shownArgs, shownUrl } from './shown.ts'
import type { Stored } from './stored.ts'

/**
 * Seals what an earlier release stored in clear: arguments, and URLs. A row that is changed meanwhile is left to who
 * changes it; one that this gateway cannot open, to one that can.
 * @returns how many there were
 */
export async function sealOld(sql: Sql, vault: Vault, rows: Stored['servers']): Promise<number> {
  let count = 0
  for (const row of rows) {
    const sealed = resealed(vault, row)
    if (sealed === null) continue
    const done = await sql`
      update mcp_servers set spec = ${sql.json(sealed.spec)}, sealed = ${sealed.sealed}
      where id = ${row.id} and sealed = ${row.sealed}`
    count += done.count
  }
  return count
}

/** Null: nothing of it is in clear that should not be, or it cannot be read. */
function resealed(
  vault: Vault,
  { id, spec, sealed }: Stored['servers'][number],
): { spec: JSONValue; sealed: string } | null {
  const { success, data } = serverSpec.safeParse(spec)
  const secrets = success ? opened(vault, id, sealed) : null
  if (data === undefined || secrets === null) return null
  const { args, url } = data
  const isClear = {
    args: secrets.args === null && args.length > 0,
    url: secrets.url === null && url !== null,
  }
  if (!isClear.args && !isClear.url) return null
  const all: Secrets = { ...secrets, args: secrets.args ?? args, url: secrets.url ?? url }
  // Whatever else a newer version has written stays.
  const shown = {
    ...(spec as Record<string, JSONValue>),
    ...(isClear.args ? { args: shownArgs(args) } : {}),
    ...(isClear.url && url !== null ? { url: shownUrl(url) } : {}),
  }
  return { spec: shown, sealed: sealSecrets(vault, id, all) }
}

function opened(vault: Vault, id: string, sealed: string): Secrets | null {
  try {
    return openSecrets(vault, id, sealed)
  } catch {
    return null
  }
}
