import type { RecordedExchange } from '../exchange.ts'
import { encodeExchange, readRun } from '../frame.ts'
import { type Run, scan } from './scan.ts'
import { asBuffer } from './wire.ts'

export type Inspection = {
  /** What can be sent: whole runs, and what could be read of damaged ones whose OPEN and SEAL are good. */
  frames: Uint8Array
  exchanges: number
  /** Unreadable pieces, by their place in the file. */
  broken: { at: number; bytes: Uint8Array }[]
}

/** Looks through a segment that an earlier process left. */
export function inspect(source: Uint8Array): Inspection {
  const bytes = asBuffer(source)
  const runs = scan(bytes)
  if (runs.every((run) => run.fault === null)) return { frames: bytes, exchanges: runs.length, broken: [] }
  const pieces: Uint8Array[] = []
  const broken: Inspection['broken'] = []
  for (const run of runs) {
    const piece = bytes.subarray(run.start, run.end)
    if (run.fault !== null) broken.push({ at: run.start, bytes: piece })
    const sendable = run.fault === null ? piece : salvage(bytes, run)
    if (sendable !== null) pieces.push(sendable)
  }
  return { frames: Buffer.concat(pieces), exchanges: pieces.length, broken }
}

function salvage(bytes: Buffer, run: Run): Uint8Array | null {
  const read = readRun(bytes, run)
  return 'fault' in read ? null : encodeExchange(asDamaged(read))
}

function asDamaged(exchange: RecordedExchange): RecordedExchange {
  return { ...exchange, end: { ...exchange.end, outcome: 'damaged', error: 'spool-corrupted' } }
}
