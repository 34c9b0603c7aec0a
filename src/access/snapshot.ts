import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { type KeySet, keySet } from './directory.ts'

const file = z.object({ v: z.literal(1), saved_at: z.string(), set: keySet })

/**
 * The keys as they were last seen, hashed, in a file that its owner alone can read: with it a gateway starts and
 * knows its clients while the database is down.
 */
export type Snapshot = {
  /** Null where there is none, or none that can be read: said in the log, never an error. */
  read(): Promise<KeySet | null>
  /** Writes one at a time and whole (rename); of several asked for meanwhile only the last is written. */
  write(make: () => KeySet): Promise<void>
}

export function openSnapshot(path: string, log: Logger): Snapshot {
  let wanted: (() => KeySet) | null = null
  let running: Promise<void> | null = null
  return {
    read: () => readSnapshot(path, log),
    write(make) {
      wanted = make
      running ??= writeAll().finally(() => {
        running = null
      })
      return running
    },
  }

  async function writeAll(): Promise<void> {
    while (wanted !== null) {
      const make = wanted
      wanted = null
      await writeSnapshot(path, make()).catch((error) =>
        log.warn({ path, reason: errorText(error) }, 'access snapshot not written'),
      )
    }
  }
}

async function readSnapshot(path: string, log: Logger): Promise<KeySet | null> {
  try {
    return file.parse(JSON.parse(await readFile(path, 'utf8'))).set
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing) log.warn({ path, reason: errorText(error) }, 'access snapshot not readable, ignored')
    return null
  }
}

/** A name of its own for each writer: gateways that share a data directory must not write into one file. */
async function writeSnapshot(path: string, set: KeySet): Promise<void> {
  const part = `${path}.${randomUUID()}.part`
  const text = JSON.stringify({ v: 1, saved_at: new Date().toISOString(), set })
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(part, text, { mode: 0o600 })
    await chmod(part, 0o600)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
