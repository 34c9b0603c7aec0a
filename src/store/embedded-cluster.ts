import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '#lib/errors'
import { type Binaries, identity } from './embedded-binaries.ts'
import type { ServerUser } from './embedded-user.ts'

export type Cluster = {
  password: string
  /** Of the last start; null before the first. */
  port: number | null
  remember(port: number): Promise<void>
}

type ClusterOptions = {
  dir: string
  folder: string
  user: ServerUser
  binaries: Binaries
  durable: boolean
  onLine: (line: string) => void
}

/**
 * Makes the cluster unless it exists. A start that died while making one left no `postgres/`, only a `postgres.new/`.
 * @throws SetupError if another major version made it, or its password is lost
 */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const { dir, folder, binaries, onLine } = options
  const secrets = join(dir, 'postgres.json')
  const version = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => null)
  if (version === null) {
    if (existsSync(folder)) {
      throw new SetupError(`${folder} is no Postgres data directory: move it away, or set another DATA_DIR`)
    }
    onLine('making the Postgres data directory')
    const password = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
    await writeSecrets(secrets, { password, port: null })
    await initialise(options, password)
  } else if (Number(version) !== binaries.major) {
    throw new SetupError(
      `${folder} was made by Postgres ${version.trim()}, this Sluice brings Postgres ${binaries.major}: start the Sluice that made it and back it up, or set another DATA_DIR`,
    )
  }
  const { password, port } = await readSecrets(secrets)
  return { password, port, remember: (chosen) => writeSecrets(secrets, { password, port: chosen }) }
}

async function initialise(options: ClusterOptions, password: string): Promise<void> {
  const { folder, user, binaries, durable } = options
  const partial = `${folder}.new`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { mode: 0o700 })
  // initdb reads the password from a file only; its user may be unable to reach this one other than as its input.
  const note = `${folder}.password`
  try {
    await writeFile(note, password, { mode: 0o600 })
    if (user) for (const path of [partial, note]) await chown(path, user.uid, user.gid)
    const child = Bun.spawn(
      [
        ...[binaries.initdb, '-D', dataPath(partial, user), '--username=sluice', '--pwfile=/dev/stdin'],
        ...['--auth=scram-sha-256', '--locale=C.UTF-8', '--encoding=UTF8', ...(durable ? [] : ['--no-sync'])],
      ],
      { cwd: partial, stdin: Bun.file(note), stdout: 'ignore', stderr: 'pipe', ...identity(user) },
    )
    const [complaint, code] = await Promise.all([child.stderr.text(), child.exited])
    if (code !== 0) throw new SetupError(`initdb in ${partial}: ${reason(complaint)}`)
    await rename(partial, folder)
  } finally {
    await rm(note, { force: true })
  }
}

/**
 * The data directory as its server names it. A server of another user starts inside it and calls it by the kernel's
 * own link to it: so it runs even below a home that this user may not enter.
 */
export function dataPath(folder: string, user: ServerUser): string {
  return user && existsSync('/proc/self/cwd') ? '/proc/self/cwd' : folder
}

function reason(complaint: string): string {
  const lines = complaint.trim().split('\n')
  return lines.find((line) => /error|FATAL/.test(line)) ?? lines.at(-1) ?? 'failed without a word'
}

async function writeSecrets(path: string, secrets: { password: string; port: number | null }): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(secrets)}\n`, { mode: 0o600 })
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
}

async function readSecrets(path: string): Promise<{ password: string; port: number | null }> {
  try {
    const { password, port } = JSON.parse(await readFile(path, 'utf8'))
    if (typeof password !== 'string') throw new Error('it holds no password')
    return { password, port: Number.isInteger(port) ? port : null }
  } catch (cause) {
    throw new SetupError(
      `Cannot read ${path}, which holds the password of the Postgres beside it: restore it, or set another DATA_DIR`,
      { cause },
    )
  }
}
