import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { z } from 'zod'

const count = z.int().nonnegative()

const spoolState = z.object({
  v: z.literal(1),
  /** The highest number given to an exchange. */
  seq: count,
  accepted: count,
  stored: count,
  /** Those of batches that are still on disk are not in it: they are found again when the batch is read. */
  quarantined: count,
  dropped: count,
  /** The highest number given to a batch. */
  batch: count,
  /** Batches that are counted as stored and whose files may still be there. */
  settled: z.array(count),
})

export type SpoolState = z.infer<typeof spoolState>

export type StateFile = {
  /** Null where there was none, or none that can be understood. */
  found: SpoolState | null
  write(state: SpoolState): void
  close(): void
}

const size = 4096

/**
 * What the spool knows beyond its files. One page, written in place: a process killed in the middle of it leaves
 * the old page or the new one, and it needs no room on a full disk.
 */
export function openState(path: string): StateFile {
  const found = readState(path)
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT)
  return {
    found,
    write: (state) => void writeSync(fd, `${JSON.stringify(state).padEnd(size - 1)}\n`, 0),
    close: () => closeSync(fd),
  }
}

function readState(path: string): SpoolState | null {
  try {
    return spoolState.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}
