import { appendFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { ExchangeEnd, ExchangeOpen, RecordedExchange } from '../exchange.ts'
import { encodeExchange, readBody, readOpen, readRun, sealedSeq } from '../frame.ts'
import { setAside } from './quarantine.ts'
import { RunWriter } from './run-writer.ts'
import { type Run, scan } from './scan.ts'
import { headerBytes, idBytes, kinds } from './wire.ts'

/**
 * Makes the file of an exchange whose gateway is gone hold exactly one whole run, and tells its number. Where
 * nothing of it can be told, the file goes to the quarantine, or is deleted if it is empty.
 */
export function recoverOpenFile(path: string, dir: string, nextSeq: number): { seq: number; kept: boolean } {
  const bytes = readFileSync(path)
  const runs = scan(bytes)
  const run = runs.find((found) => found.frames[0]?.kind === kinds.open) ?? runs[0]
  const open = run === undefined ? null : readableOpen(bytes, run)
  if (run === undefined || open === null) {
    if (bytes.length > 0) setAside(dir, `open-${basename(path)}`, bytes)
    rmSync(path)
    return { seq: run === undefined ? 0 : sealedSeq(bytes, run), kept: false }
  }
  const read = readRun(bytes, run)
  if ('fault' in read) {
    const end = crashEnd(bytes, run, path, nextSeq)
    if (runs.length === 1 && run.fault === 'no SEAL') appendFileSync(path, sealFrame(open, end))
    else rewrite(path, dir, bytes, { ...bodies(bytes, run), open, end: isTorn(run) ? end : asDamaged(end) })
    return { seq: nextSeq, kept: true }
  }
  if (run.fault !== null) rewrite(path, dir, bytes, { ...read, end: asDamaged(read.end) })
  else if (runs.length > 1) rewrite(path, dir, bytes, read)
  return { seq: read.end.seq, kept: true }
}

/** The file as it was goes to the quarantine; in its place comes what could be read. */
function rewrite(path: string, dir: string, bytes: Buffer, exchange: RecordedExchange): void {
  setAside(dir, `open-${basename(path)}`, bytes)
  writeFileSync(`${path}.new`, encodeExchange(exchange))
  renameSync(`${path}.new`, path)
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
