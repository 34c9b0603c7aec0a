import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { StoredName } from './servers.ts'

/** Names of one server at most: one that makes up new ones for ever must not fill the table. */
const mostNames = 2_000

/** Writes names behind everybody's back: they can be made again, so that none is waited for. */
export function openNameKeeper(sql: Sql, log: Logger) {
  const known = new Map<string, Set<string>>()
  let writing: Promise<void> = Promise.resolve()
  return {
    keep(names: readonly StoredName[]): void {
      const fresh = names.filter(isNew)
      if (fresh.length > 0) writing = writing.then(() => write(fresh))
    },
    close: () => writing,
  }

  function isNew({ server_id, kind, exposed }: StoredName): boolean {
    const seen = known.get(server_id) ?? new Set()
    known.set(server_id, seen)
    if (seen.size >= mostNames || seen.has(`${kind} ${exposed}`)) return false
    seen.add(`${kind} ${exposed}`)
    return true
  }

  async function write(names: readonly StoredName[]): Promise<void> {
    try {
      // A server that was removed in the meantime has no names to keep.
      await sql`
        insert into mcp_names (server_id, kind, exposed, name)
        select one.server_id, one.kind, one.exposed, one.name
        from unnest(${names.map((one) => one.server_id)}::uuid[], ${names.map((one) => one.kind)}::text[],
          ${names.map((one) => one.exposed)}::text[], ${names.map((one) => one.name)}::text[])
          as one (server_id, kind, exposed, name)
        where exists (select from mcp_servers where id = one.server_id)
        on conflict do nothing`
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'changed names of MCP tools not stored')
      for (const { server_id, kind, exposed } of names) known.get(server_id)?.delete(`${kind} ${exposed}`)
    }
  }
}
