import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, SetupError } from '#lib/errors'
import { releaser } from '#lib/release'
import { reachableBinaries } from './embedded-binaries.ts'
import { prepareCluster } from './embedded-cluster.ts'
import { lockFolder } from './embedded-lock.ts'
import { stopOrphan } from './embedded-orphan.ts'
import { choosePort } from './embedded-port.ts'
import { startServer } from './embedded-server.ts'
import { serverUser } from './embedded-user.ts'

export type EmbeddedOptions = {
  /** Made if missing. Holds `postgres/` (the cluster), `postgres.json` (port and password, 0600) and a lock. */
  dir: string
  /** @default the port of the last start, or any free one */
  port?: number
  /** False risks the whole cluster at a power loss, and is faster: for tests. @default true */
  durable?: boolean
  /** Told what takes a while, and the server's own warnings. */
  onLine?: (line: string) => void
}

export type EmbeddedPostgres = {
  /** Holds the password. */
  url: string
  port: number
  /** Of the postmaster. */
  pid: number
  /** Resolves with the exit code when the server has ended, for whatever reason. */
  exited: Promise<number>
  /**
   * Ends sessions, writes a checkpoint, and resolves when the server has gone. One that takes longer than `graceMs` is
   * ended without: the next start recovers. Safe to call twice.
   * @param graceMs default 6,000
   */
  stop(graceMs?: number): Promise<void>
}

/**
 * Starts a Postgres of our own on loopback, making its cluster first if there is none. As root it runs as another
 * user. It stops by itself when this process dies; one that did not is stopped here first.
 * @throws SetupError saying what to do: directory in use, other major version, port taken, no user to run as, …
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { dir, onLine = () => {}, durable = true } = options
  const held = releaser()
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 }).catch((cause) => {
      throw new SetupError(`Cannot make the data directory ${dir}: ${errorText(cause)}`, { cause })
    })
    held.add('lock', lockFolder(dir))
    const folder = join(dir, 'postgres')
    const user = await serverUser(folder)
    const binaries = await reachableBinaries(user, onLine)
    const cluster = await prepareCluster({ dir, folder, user, binaries, durable, onLine })
    await stopOrphan(folder, onLine)
    const port = await choosePort(options.port, cluster.port)
    await cluster.remember(port)
    const server = await startServer({ folder, user, binaries, port, durable, onLine })
    let graceMs = 6_000
    held.add('server', () => server.stop(graceMs))
    return {
      url: `postgres://sluice:${cluster.password}@127.0.0.1:${port}/postgres`,
      port,
      pid: server.pid,
      exited: server.exited,
      stop(ms = graceMs) {
        graceMs = ms
        return held.releaseAll()
      },
    }
  } catch (error) {
    await held.releaseAll()
    throw error
  }
}
