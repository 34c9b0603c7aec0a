import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

// This file runs before anything is installed: it may import nothing but what Bun brings.

const root = join(import.meta.dir, '..', '..')

/** Holds the hash of the lock file that was installed last: it knows of patches and of indirect dependencies. */
const stamp = join(root, 'node_modules', '.sluice-lock')

/**
 * Installs what the lock file names, with what only development needs if asked, unless that is there already.
 * @returns whether it had to
 * @throws Error named SetupError
 */
export async function installMissing({ development = false } = {}): Promise<boolean> {
  const lock = Bun.hash(await readFile(join(root, 'bun.lock'))).toString(16)
  const complete = await isComplete(development)
  if (complete && (await readFile(stamp, 'utf8').catch(() => '')) === lock) return false
  if (!complete) console.error('sluice: installing dependencies')
  const child = Bun.spawn([process.execPath, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [complaint, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code === 0 && (await isComplete(development))) {
    await writeFile(stamp, lock)
    return true
  }
  const line = complaint.split('\n').find((one) => /^error/.test(one)) ?? `exit code ${code}`
  const message = `bun install --frozen-lockfile failed (${line}): run it by hand to see all`
  if (!complete) throw Object.assign(new Error(message), { name: 'SetupError' })
  console.error(`sluice: ${message}; going on with what is there`)
  return false
}

async function isComplete(development: boolean): Promise<boolean> {
  const { dependencies, devDependencies } = await readJson(root)
  const wanted = { ...dependencies, ...(development ? devDependencies : {}) }
  for (const [name, version] of Object.entries(wanted)) {
    const installed = await readJson(join(root, 'node_modules', name)).catch(() => null)
    if (installed?.version !== version) return false
  }
  return true
}

type Package = { version?: string } & {
  [Kind in 'dependencies' | 'devDependencies']?: Record<string, string>
}

async function readJson(folder: string): Promise<Package> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}
