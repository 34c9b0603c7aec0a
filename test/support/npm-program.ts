import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from './process.ts'

/**
 * The folder of an npm package that is too large to be installed with everything: fetched when a test first needs it,
 * and kept. Null where it cannot be had; in CI that is a failure.
 * @param name with its exact version, as in `left-pad@1.3.0`
 */
export async function npmProgram(name: string): Promise<string | null> {
  const at = name.lastIndexOf('@')
  const folder = join(repository, 'node_modules', '.cache', 'sluice', name.replaceAll('/', '+'))
  if (!existsSync(folder)) {
    const making = `${folder}.${process.pid}`
    await mkdir(making, { recursive: true })
    await Bun.write(join(making, 'package.json'), '{}')
    const child = Bun.spawn([process.execPath, 'add', '--exact', '--ignore-scripts', name], {
      ...{ cwd: making, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    })
    if ((await child.exited) !== 0) {
      const said = await new Response(child.stderr).text()
      await rm(making, { recursive: true, force: true })
      if (process.env.CI === 'true') throw new Error(`fetching ${name}: ${said}`)
      console.error(`sluice: could not fetch ${name}: tests that need it are skipped`)
      return null
    }
    // Another test run may have been quicker.
    await rename(making, folder).catch(() => rm(making, { recursive: true, force: true }))
  }
  return join(folder, 'node_modules', name.slice(0, at))
}
