import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Result } from './shapes.ts'

/** Writes what each model said to `<dir>/<id>/<model>.md`. @returns the path below `dir` of each; null where none */
export async function writeResults(
  dir: string,
  { id, results }: { id: string; results: readonly Result[] },
): Promise<(string | null)[]> {
  await mkdir(join(dir, id), { recursive: true })
  return await Promise.all(
    results.map(async ({ model, text }) => {
      if (text === null) return null
      const path = join(id, `${model.replace(/[^\w.-]+/g, '_')}-${Bun.hash.wyhash(model).toString(36)}.md`)
      await writeFile(join(dir, path), text)
      return path
    }),
  )
}
