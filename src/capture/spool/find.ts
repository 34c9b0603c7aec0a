import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { idTime } from '#lib/ids'
import type { ExchangeEnd, ExchangeOpen } from '../exchange.ts'
import { readBody, readOpen, readRun } from '../frame.ts'
import type { FoundExchange } from '../recording.ts'
import { segmentsIn } from './depot.ts'
import { Gate } from './gate.ts'
import { openFilesIn } from './open-files.ts'
import { type Run, scan } from './scan.ts'
import { idBytes, kinds } from './wire.ts'

/** Of the backlog that is looked through: while the store is down it may be long. */
const mostBytes = 256 * 1024 * 1024
/** After a crash all clients come back at once. */
const atOnce = 4
const remembered = 512
const clockSlackMs = 1_000

/**
 * Finds what the disk holds of an exchange, sealed or not, in any slot: also in one that another gateway writes to, or
 * that nobody holds. Null where it is in none, or only in memory yet. Reads, and changes nothing.
 */
export function openFinder(root: string): (id: string) => Promise<FoundExchange | null> {
  const gate = new Gate(atOnce)
  /** Of closed segments, which do not change any more: whose exchanges are in them. */
  const known = new Map<string, ReadonlySet<string>>()

  async function find(id: string): Promise<FoundExchange | null> {
    const needle = idBytes(id)
    let bytes = 0
    for (const path of await candidates(root, idTime(id))) {
      if (known.get(path)?.has(id) === false) continue
      const content = await readFile(path).catch(() => null)
      if (content === null) continue
      if (isClosed(path)) remember(path, content)
      bytes += content.length
      const found = content.includes(needle) ? foundIn(content, id) : null
      if (found !== null) return found
      if (bytes > mostBytes) return null
    }
    return null
  }

  function remember(path: string, content: Buffer): void {
    known.set(path, new Set(scan(content).flatMap((run) => run.id ?? [])))
    for (const oldest of known.keys()) {
      if (known.size <= remembered) break
      known.delete(oldest)
    }
  }

  return (id) => gate.run(() => find(id))
}

function isClosed(path: string): boolean {
  return /\d-\d+-\d+\.seg$/.test(path)
}

/** The files that were written to since then, those of exchanges under way first. */
async function candidates(root: string, since: number): Promise<string[]> {
  const slots = (await names(root)).filter((name) => /^\d+$/.test(name)).map((name) => join(root, name))
  const found: string[] = []
  for (const dir of [...slots.map(openFilesIn), ...slots.map(segmentsIn)]) {
    for (const name of await names(dir)) {
      const path = join(dir, name)
      const file = await stat(path).catch(() => null)
      if (file !== null && file.size > 0 && file.mtimeMs >= since - clockSlackMs) found.push(path)
    }
  }
  return found
}

async function names(dir: string): Promise<string[]> {
  return await readdir(dir).catch(() => [])
}

function foundIn(content: Buffer, id: string): FoundExchange | null {
  const run = scan(content).find((one) => one.id === id)
  const open = run === undefined ? null : openOf(content, run)
  if (run === undefined || open === null) return null
  const [request, response] = [readBody(content, run, kinds.request), readBody(content, run, kinds.response)]
  return { open, end: endOf(content, run), request, response }
}

function openOf(content: Buffer, run: Run): ExchangeOpen | null {
  try {
    return readOpen(content, run)
  } catch {
    return null
  }
}

function endOf(content: Buffer, run: Run): ExchangeEnd | null {
  const read = readRun(content, run)
  return 'fault' in read ? null : read.end
}
