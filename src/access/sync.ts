import type { Sql } from 'postgres'
import type { Logger } from '#lib/log'
import { type Follower, follow, patiently } from '#store'
import type { Directory } from './directory.ts'
import { keysSince } from './queries.ts'

export type SyncOptions = {
  sql: Sql
  directory: Directory
  /** Called after each change of the directory. */
  onChange: () => void
  log: Logger
}

/** Keeps a directory equal to the database. */
export function openSync({ sql, directory, onChange, log }: SyncOptions): Follower {
  return follow({ sql, channel: 'sluice_access', what: 'access keys', update, log })

  async function update(fresh: boolean): Promise<void> {
    const held = fresh ? -1 : directory.revision()
    const change = await since(held)
    const grown = directory.size() + change.keys.filter(({ id }) => !directory.has(id)).length
    if (!fresh && change.revision >= held && change.total === grown) {
      if (change.revision === held) return
      directory.merge(change)
    } else {
      directory.replace(held === -1 ? change : await since(-1))
    }
    onChange()
  }

  function since(revision: number): ReturnType<typeof keysSince> {
    return patiently(keysSince(sql, revision), { doing: 'load access keys' })
  }
}
