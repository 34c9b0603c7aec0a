import { appendFileSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import type { ExchangeEnd, ExchangeOpen, RecordedExchange } from '../exchange.ts'
import { encodeExchange, readBody, readOpen, readRun, sealedSeq } from '../frame.ts'
import { setAside } from './quarantine.ts'
import { RunWriter } from './run-writer.ts'
import { type Run, scan } from './scan.ts'
import { headerBytes, idBytes, kinds } from './wire.ts'

/** The number of the exchange; 0 where it has none that is known. */
export type Recovered = { state: 'whole' | 'lost' | 'empty'; seq: number }

/**
 * Makes the file of an exchange whose gateway is gone hold exactly one whole run, or nothing: where it was copied to
 * a segment already, or where nothing can be told of it; then its bytes go to the quarantine.
 */
export function recoverOpenFile(path: string, options: RecoverOptions): Recovered {
  const { dir, nextSeq, copied } = options
  const bytes = readFileSync(path)
  if (bytes.length === 0) return { state: 'empty', seq: 0 }
  const runs = scan(bytes)
  const run = runs.find((found) => found.frames[0]?.kind === kinds.open) ?? runs[0]
  const open = run === undefined ? null : readableOpen(bytes, run)
  if (run === undefined || open === null) {
    keepAside(dir, bytes)
    truncateSync(path)
    return { state: 'lost', seq: run === undefined ? 0 : sealedSeq(bytes, run) }
  }
  if (copied?.has(open.id) === true) {
    truncateSync(path)
    return { state: 'empty', seq: 0 }
  }
  const read = readRun(bytes, run)
  if ('fault' in read) {
    const end = crashEnd(bytes, run, path, nextSeq)
    if (runs.length === 1 && run.fault === 'no SEAL') appendFileSync(path, sealFrame(open, end))
    else rewrite(path, dir, bytes, { ...bodies(bytes, run), open, end: isTorn(run) ? end : asDamaged(end) })
    return { state: 'whole', seq: nextSeq }
  }
  if (run.fault !== null) rewrite(path, dir, bytes, { ...read, end: asDamaged(read.end) })
  else if (runs.length > 1) rewrite(path, dir, bytes, read)
  return { state: 'whole', seq: read.end.seq }
}

type RecoverOptions = {
  dir: string
  /** For an exchange that was not sealed. */
  nextSeq: number
  /** Exchanges that are in an unclosed segment. @default none */
  copied?: ReadonlySet<string>
}

/** The file as it was goes to the quarantine; in its place comes what could be read. */
function rewrite(path: string, dir: string, bytes: Buffer, exchange: RecordedExchange): void {
  keepAside(dir, bytes)
  writeFileSync(`${path}.new`, encodeExchange(exchange))
  renameSync(`${path}.new`, path)
}

/** Named after its content: the file itself will be used again. */
function keepAside(dir: string, bytes: Buffer): void {
  setAside(dir, `open-${Bun.hash(bytes).toString(16)}`, bytes)
}

function readableOpen(bytes: Buffer, run: Run): ExchangeOpen | null {
  try {
    return readOpen(bytes, run)
  } catch {
    return null
  }
}

/** Is nothing missing before the last good frame? Then what is behind it is a write that was not finished. */
function isTorn(run: Run): boolean {
  let at = run.start
  for (const frame of run.frames) {
    if (frame.start - headerBytes !== at) return false
    at = frame.end
  }
  return true
}

function bodies(bytes: Buffer, run: Run): { request: Uint8Array; response: Uint8Array } {
  return { request: readBody(bytes, run, kinds.request), response: readBody(bytes, run, kinds.response) }
}

function crashEnd(bytes: Buffer, run: Run, path: string, seq: number): ExchangeEnd {
  const { request, response } = bodies(bytes, run)
  return {
    seq,
    outcome: 'gateway_crashed',
    status: null,
    error: null,
    first_byte_at: null,
    ended_at: statSync(path).mtimeMs,
    response_headers: [],
    request_bytes: request.length,
    response_bytes: response.length,
  }
}

function asDamaged(end: ExchangeEnd): ExchangeEnd {
  return { ...end, outcome: 'damaged', error: 'spool-corrupted' }
}

function sealFrame(open: ExchangeOpen, end: ExchangeEnd): Uint8Array {
  const writer = new RunWriter()
  writer.begin(idBytes(open.id))
  writer.seal(end)
  return writer.view()
}
