import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { KnownHosts } from '#lib/known-hosts'
import type { Logger } from '#lib/log'
import { type Gate, openGate } from './authenticate.ts'
import { openDirectory } from './directory.ts'
import type { Principal } from './principal.ts'
import { openSnapshot } from './snapshot.ts'
import { openSync } from './sync.ts'
import { openUsageWriter } from './usage.ts'

export type Access = Gate & {
  /** Resolves when what was committed before is in force here. Rejects while the database is down. */
  refresh(): Promise<void>
  state(): AccessState
  /** Writes last uses and the snapshot. The database client is the caller's to close, afterwards. */
  close(): Promise<void>
}

export type AccessState = {
  /** Where the keys in memory come from; `none`: neither database nor snapshot could be read yet. */
  source: 'database' | 'snapshot' | 'none'
  keys: number
}

export type AccessOptions = {
  sql: Sql
  /** `ADMIN_KEY`; the stored admin key is out of use where it is set. */
  adminKey?: string | undefined
  /** May clients without a Sluice key call, with their own provider credential or none? */
  passThrough: boolean
  defaultCapture: Principal['capture']
  /** Where hashed keys are kept for a start without the database. */
  snapshotFile: string
  /** By which names clients without any credential may call. @default all */
  knowsHost?: KnownHosts | undefined
  /** Signs the sessions of pages; the same on all gateways. */
  secret?: string | undefined
  log: Logger
  /** How long a start waits for the database before it goes on with the snapshot. @default 3000 */
  patienceMs?: number
}

/**
 * Opens the door. Starts with whatever it can get: the database, else the snapshot, else the variable ADMIN_KEY
 * alone, and goes on trying.
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { sql, log, passThrough, defaultCapture, knowsHost, patienceMs = 3_000 } = options
  const directory = openDirectory({
    defaultCapture,
    ...(options.adminKey === undefined ? {} : { adminKey: options.adminKey }),
  })
  const snapshot = openSnapshot(options.snapshotFile, log)
  const saved = await snapshot.read()
  if (saved !== null) directory.replace(saved)

  let synced = false
  const sync = openSync({
    sql,
    directory,
    log,
    onChange: () => {
      synced = true
      void snapshot.write(directory.export)
    },
  })
  const usage = openUsageWriter({ sql, directory, log, everyMs: 30_000 })
  await firstLoad()

  return {
    ...openGate({ directory, passThrough, defaultCapture, knowsHost, secret: options.secret }),
    refresh: sync.refresh,
    state: () => ({ source: source(), keys: directory.size() }),
    async close() {
      await sync.stop()
      await usage.stop()
      if (synced) await snapshot.write(directory.export)
    },
  }

  async function firstLoad(): Promise<void> {
    const loaded = sync.refresh().then(() => null, errorText)
    const late = Bun.sleep(patienceMs).then(() => `no answer in ${patienceMs} ms`)
    const reason = await Promise.race([loaded, late])
    if (reason === null) return
    if (saved === null) log.error({ reason }, 'access: no database and no snapshot: only ADMIN_KEY is known')
    else log.warn({ reason, keys: saved.keys.length }, 'access: starting from the snapshot')
  }

  function source(): AccessState['source'] {
    if (sync.connected()) return 'database'
    return directory.revision() < 0 ? 'none' : 'snapshot'
  }
}
