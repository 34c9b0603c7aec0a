import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

// This file runs before anything is installed: it may import nothing but what Bun brings.

const root = join(import.meta.dir, '..', '..')

/**
 * Installs what the lock file names unless every dependency is there in its version, with those for development
 * if asked.
 * @returns whether it had to
 * @throws Error named SetupError
 */
export async function installMissing({ development = false } = {}): Promise<boolean> {
  if (await isComplete(development)) return false
  console.error('sluice: installing dependencies')
  const child = Bun.spawn([process.execPath, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [complaint, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code === 0 && (await isComplete(development))) return true
  const line = complaint.split('\n').find((one) => /^error/.test(one)) ?? `exit code ${code}`
  throw Object.assign(
    new Error(`bun install --frozen-lockfile failed (${line}): run it by hand to see all`),
    {
      name: 'SetupError',
    },
  )
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
