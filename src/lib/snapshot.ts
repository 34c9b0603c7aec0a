import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { errorText } from './errors.ts'
import type { Logger } from './log.ts'

/** What was last known of something in the database, in a file that its owner alone can read: for a start without it. */
export type SnapshotFile<Value> = {
  /** Null where there is none, or none that can be read: said in the log, never an error. */
  read(): Promise<Value | null>
  /** Whole, by rename; a failure is said in the log. */
  write(value: Value): Promise<void>
}

export function snapshotFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  { what, log }: { what: string; log: Logger },
): SnapshotFile<z.infer<Schema>> {
  return {
    async read() {
      try {
        return schema.parse(JSON.parse(await readFile(path, 'utf8')))
      } catch (error) {
        const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        if (!missing)
          log.warn({ path, reason: errorText(error, 300) }, `${what}: snapshot not readable, ignored`)
        return null
      }
    },
    async write(value) {
      const part = `${path}.${randomUUID()}.part`
      try {
        await mkdir(dirname(path), { recursive: true })
        await writeFile(part, JSON.stringify(value), { mode: 0o600 })
        await rename(part, path)
      } catch (error) {
        await rm(part, { force: true }).catch(() => {})
        log.warn({ path, reason: errorText(error, 300) }, `${what}: snapshot not written`)
      }
    },
  }
}
