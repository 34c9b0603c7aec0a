import { errorText } from '#lib/errors'
import {
  type ExchangeEnd,
  type ExchangeOpen,
  exchangeEnd,
  exchangeOpen,
  type RecordedExchange,
} from './exchange.ts'
import { RunWriter } from './spool/run-writer.ts'
import { type Run, scan } from './spool/scan.ts'
import { asBuffer, type Kind, kinds } from './spool/wire.ts'

export type Damaged = {
  /** From any frame that could be read. */
  id: string | null
  reason: string
  bytes: Uint8Array
}

/** The run of frames of a whole exchange. */
export function encodeExchange(exchange: RecordedExchange): Uint8Array {
  const writer = new RunWriter()
  writer.open(exchange.open)
  writer.body(kinds.request, [exchange.request])
  writer.body(kinds.response, [exchange.response])
  writer.seal(exchange.end)
  return new Uint8Array(writer.view())
}

/**
 * Reads segment bytes back, in order. Every whole exchange around damage is found; what is not whole is returned
 * as it is. Bodies are views of `bytes` where they were not cut into several frames. Never throws.
 */
export function decodeExchanges(bytes: Uint8Array): { exchanges: RecordedExchange[]; damaged: Damaged[] } {
  const source = asBuffer(bytes)
  const exchanges: RecordedExchange[] = []
  const damaged: Damaged[] = []
  for (const run of scan(source)) {
    const read = run.fault === null ? readRun(source, run) : { fault: run.fault }
    if ('fault' in read)
      damaged.push({ id: run.id, reason: read.fault, bytes: source.subarray(run.start, run.end) })
    else exchanges.push(read)
  }
  return { exchanges, damaged }
}

/** Reads what a run holds, whole or not, as long as its OPEN and SEAL can be read. */
export function readRun(source: Buffer, run: Run): RecordedExchange | { fault: string } {
  try {
    return {
      open: readOpen(source, run),
      end: readEnd(source, run),
      request: readBody(source, run, kinds.request),
      response: readBody(source, run, kinds.response),
    }
  } catch (error) {
    return { fault: errorText(error, 300) }
  }
}

/** @throws Error where the run has no OPEN, or one that is not an exchange's */
export function readOpen(source: Buffer, run: Run): ExchangeOpen {
  const open = exchangeOpen.parse(readJson(source, run, kinds.open))
  if (open.id !== run.id) throw new Error(`reading OPEN of ${run.id}: it is of ${open.id}`)
  return open
}

/** @throws Error where the run has no SEAL, or one that cannot be understood */
function readEnd(source: Buffer, run: Run): ExchangeEnd {
  return exchangeEnd.parse(readJson(source, run, kinds.seal))
}

/** The number in the run's SEAL; 0 where that cannot be read. */
export function sealedSeq(source: Buffer, run: Run): number {
  try {
    return readEnd(source, run).seq
  } catch {
    return 0
  }
}

function readJson(source: Buffer, run: Run, kind: Kind): unknown {
  const frame = run.frames.find((found) => found.kind === kind)
  if (frame === undefined) throw new Error(`reading a run: no frame of kind ${kind}`)
  return JSON.parse(source.toString('utf8', frame.start, frame.end))
}

export function readBody(source: Buffer, run: Run, kind: Kind): Uint8Array {
  const pieces = run.frames
    .filter((frame) => frame.kind === kind)
    .map((frame) => source.subarray(frame.start, frame.end))
  const [only] = pieces
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces)
}
