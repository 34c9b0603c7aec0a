import { Database } from 'bun:sqlite'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { errorText, SetupError } from '#lib/errors'

/** A folder that one gateway at a time writes to. The kernel frees it when its process dies, however it dies. */
export type Slot = {
  dir: string
  /** Names the folder's spool for ever, also when a folder of the same path is made anew. */
  id: string
  release(): void
}

const slots = 1024

/**
 * Takes the lowest free slot.
 * @throws SetupError where the folder cannot be written to
 */
export function takeSlot(root: string): Slot {
  for (let number = 0; number < slots; number++) {
    const slot = tryTake(join(root, String(number)), number)
    if (slot !== null) return slot
  }
  throw new SetupError(`taking a spool slot in ${root}: all ${slots} are in use`)
}

/** Takes a slot that nobody holds and that still has something in it, if there is one. */
export function takeAbandonedSlot(root: string, own: string): Slot | null {
  for (const name of readdirSync(root).filter((found) => /^\d+$/.test(found))) {
    const dir = join(root, name)
    // SQLite keeps a handle for each try on a file that this process holds.
    if (dir === own || !hasLeftovers(dir)) continue
    const slot = tryTake(dir, Number(name))
    if (slot === null) continue
    if (hasLeftovers(dir)) return slot
    slot.release()
  }
  return null
}

/** Empty files of exchanges are spares, not leftovers. */
function hasLeftovers(dir: string): boolean {
  return ['segments', 'open'].some((part) => {
    const path = join(dir, part)
    return existsSync(path) && readdirSync(path).some((name) => sizeOf(join(path, name)) > 0)
  })
}

/** Whoever holds the slot may delete files while we look. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function tryTake(dir: string, number: number): Slot | null {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const release = lock(join(dir, 'lock.db'))
    return release === null ? null : { dir, id: spoolId(dir, number), release }
  } catch (error) {
    throw new SetupError(`opening the spool in ${dir}: ${errorText(error)}`)
  }
}

/** SQLite is used for nothing but its lock: an exclusive transaction that never writes, not even a journal. */
function lock(path: string): (() => void) | null {
  const database = new Database(path, { create: true })
  try {
    database.run('PRAGMA busy_timeout = 0')
    database.run('PRAGMA journal_mode = MEMORY')
    database.run('BEGIN EXCLUSIVE')
    return () => database.close()
  } catch (error) {
    database.close()
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')) return null
    throw error
  }
}

/** The random end keeps a spool that is made anew apart from the batches that the store knows of the old one. */
function spoolId(dir: string, number: number): string {
  const path = join(dir, 'id')
  if (existsSync(path)) {
    const known = readFileSync(path, 'utf8').trim()
    if (/^[\w.-]{1,200}$/.test(known)) return known
  }
  const host =
    hostname()
      .replaceAll(/[^\w.-]/g, '-')
      .slice(0, 100) || 'gateway'
  const id = `${host}-${number}-${crypto.randomUUID().slice(0, 8)}`
  writeFileSync(`${path}.new`, `${id}\n`)
  renameSync(`${path}.new`, path)
  return id
}
