import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { callGateway, type Gateway, RefusedError } from './command.ts'

export type ExportOptions = {
  query: URLSearchParams
  /** A file to write to, or to continue; null: standard output. */
  out: string | null
}

type Trailer = { type: 'end' | 'error'; after: string | null; complete?: boolean; detail?: string }

const triesInVain = 5

/**
 * Writes the lines of an export without its trailers, each only once it is whole.
 * @returns the exit code: 0 where all came
 */
export async function exportRecord(gateway: Gateway, { query, out }: ExportOptions): Promise<number> {
  const output = out === null ? standardOutput() : fileOutput(out)
  if (output.lastId !== null) query.set('after', output.lastId)
  const limit = query.has('limit') ? Number(query.get('limit')) : null
  let written = 0
  for (let inVain = 0; ; inVain++) {
    if (limit !== null) query.set('limit', String(limit - written))
    const part = await writePart(gateway, { query, output, going: written > 0 })
    written += part.written
    if (part.written > 0) inVain = 0
    if (part.last !== null) query.set('after', part.last)
    if (part.trailer?.type === 'end') {
      const rest = part.trailer.complete === true ? '' : `; there is more: --after ${part.trailer.after}`
      console.error(`${written} lines${rest}`)
      output.close()
      return 0
    }
    const reason = part.trailer?.detail ?? part.reason
    if (inVain === triesInVain) throw new RefusedError(null, `After ${written} lines: ${reason}`)
    console.error(`${reason}: going on after line ${written}`)
    await Bun.sleep(500 * 2 ** inVain)
  }
}

type Part = { written: number; last: string | null; trailer: Trailer | null; reason: string }

async function writePart(
  gateway: Gateway,
  { query, output, going }: { query: URLSearchParams; output: Output; going: boolean },
): Promise<Part> {
  const part: Part = { written: 0, last: null, trailer: null, reason: 'the connection broke' }
  try {
    const response = await callGateway(gateway, `/api/export?${query}`)
    for await (const line of wholeLines(response)) {
      const start = line.subarray(0, 40).toString()
      if (/^\{"type":"(end|error)"/.test(start)) part.trailer = JSON.parse(line.toString()) as Trailer
      if (part.trailer !== null || line.length === 1) continue
      await output.write(line)
      part.last = idOf(line) ?? part.last
      part.written++
    }
  } catch (error) {
    // What came whole is written, and the next part begins after it.
    if (error instanceof OutputError || (error instanceof RefusedError && !(going && error.isPassing)))
      throw error
    if (error instanceof RefusedError) part.reason = error.message
  }
  return part
}

/** Lines with their line ends; half a line at the end is none. */
async function* wholeLines(response: Response): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  for await (const chunk of response.body ?? []) {
    let bytes = Buffer.from(chunk)
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10)) {
      yield Buffer.concat([...rest, bytes.subarray(0, end + 1)])
      rest = []
      bytes = bytes.subarray(end + 1)
    }
    if (bytes.length > 0) rest.push(bytes)
  }
}

/** Of the start of a line, so that no body is parsed. */
function idOf(line: Buffer): string | null {
  return /"id":"([0-9a-f-]{36})"/.exec(line.subarray(0, 200).toString())?.[1] ?? null
}

type Output = {
  /** Of the last line that is there already. */
  lastId: string | null
  /** @throws OutputError */
  write(line: Buffer): Promise<void>
  close(): void
}

/** Nothing to try again: the disk is full, or nobody reads any more. */
class OutputError extends Error {
  override readonly name = 'OutputError'
}

function standardOutput(): Output {
  const writer = Bun.stdout.writer()
  return {
    lastId: null,
    async write(line) {
      try {
        writer.write(line)
        await writer.flush()
      } catch (cause) {
        throw new OutputError('writing to standard output failed', { cause })
      }
    },
    close() {},
  }
}

function fileOutput(path: string): Output {
  const file = openSync(path, 'a+')
  return {
    lastId: lastId(file, statSync(path).size),
    async write(line) {
      try {
        for (let at = 0; at < line.length; ) at += writeSync(file, line, at)
      } catch (cause) {
        throw new OutputError(`writing to ${path} failed`, { cause })
      }
    },
    close: () => closeSync(file),
  }
}

/** The id of the last whole line; what stands after it is cut off. */
function lastId(file: number, size: number): string | null {
  const end = lastLineEnd(file, size)
  ftruncateSync(file, end)
  if (end === 0) return null
  const start = lastLineEnd(file, end - 1)
  const head = Buffer.alloc(Math.min(200, end - start))
  readSync(file, head, 0, head.length, start)
  return idOf(head)
}

/** One past the last line end before that position; 0 where there is none. */
function lastLineEnd(file: number, before: number): number {
  const piece = Buffer.alloc(64 * 1024)
  for (let end = before; end > 0; ) {
    const start = Math.max(0, end - piece.length)
    const length = readSync(file, piece, 0, end - start, start)
    const found = piece.subarray(0, length).lastIndexOf(10)
    if (found !== -1) return start + found + 1
    end = start
  }
  return 0
}
