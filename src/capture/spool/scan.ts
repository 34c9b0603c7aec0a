import { asBuffer, claimedEnd, type Frame, kinds, nextMagic, readFrame } from './wire.ts'

/**
 * The frames of one exchange, contiguous in a segment: OPEN, then REQUEST and RESPONSE in any order, then SEAL.
 * A run with a fault is damaged; its bytes include whatever could not be read.
 */
export type Run = {
  /** From any frame that could be read. */
  id: string | null
  start: number
  end: number
  frames: Frame[]
  fault: string | null
}

/** Cuts bytes into runs. Every byte belongs to exactly one; whole runs around damage are all found. */
export function scan(source: Uint8Array): Run[] {
  const bytes = asBuffer(source)
  const runs: Run[] = []
  let run: Run | null = null
  for (let at = 0; at < bytes.length; ) {
    const frame = readFrame(bytes, at)
    if (frame === null) {
      const end = skipDamage(bytes, at)
      run ??= begin(runs, at, null)
      run.fault ??= `unreadable bytes at ${at}`
      run.end = end
      at = end
      continue
    }
    run = belongs(run, frame) ? run : begin(runs, at, frame)
    run.id = frame.id
    run.frames.push(frame)
    run.end = frame.end
    at = frame.end
    if (frame.kind === kinds.seal) run = close(run)
  }
  if (run !== null) run.fault ??= 'no SEAL'
  return runs
}

function begin(runs: Run[], at: number, frame: Frame | null): Run {
  const last = runs.at(-1)
  if (last !== undefined && last.frames.at(-1)?.kind !== kinds.seal) last.fault ??= 'no SEAL'
  const fault = frame !== null && frame.kind !== kinds.open ? 'no OPEN' : null
  const run: Run = { id: frame?.id ?? null, start: at, end: at, frames: [], fault }
  runs.push(run)
  return run
}

/** Unreadable bytes with no id yet belong to the frames behind them, unless those start an exchange anew. */
function belongs(run: Run | null, frame: Frame): run is Run {
  return run !== null && frame.kind !== kinds.open && (run.id === null || run.id === frame.id)
}

function close(run: Run): null {
  if (run.frames[0]?.kind !== kinds.open) run.fault ??= 'no OPEN'
  return null
}

/**
 * A frame with a wrong checksum is stepped over whole where its length leads to a good frame or to the end:
 * what looks like a frame inside of a payload is content, and must not be believed.
 */
function skipDamage(bytes: Buffer, at: number): number {
  const claimed = claimedEnd(bytes, at)
  if (claimed !== null && (claimed === bytes.length || readFrame(bytes, claimed) !== null)) return claimed
  let next = nextMagic(bytes, at + 1)
  while (next < bytes.length && readFrame(bytes, next) === null) next = nextMagic(bytes, next + 1)
  return next
}
