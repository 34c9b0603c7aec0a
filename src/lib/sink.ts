import { fstatSync, write, writeSync } from 'node:fs'

/**
 * Lines to a descriptor of this process. Whoever calls never waits for whoever reads them: a pager that nobody scrolls,
 * a terminal held by Ctrl-S, a log driver that stands still.
 */
export type Sink = {
  /** Whole lines, each with its end. Dropped, and counted, where too much waits already. */
  write(lines: string): void
  /** Calls back when nothing waits to be written any more: with a reader that stands still, perhaps never. */
  flush(done?: () => void): void
}

export type SinkOptions = {
  /** Bytes that may wait. @default 1 MiB */
  mostBytes?: number
  /** What to write, once there is room again, of so many writes that were dropped. @default nothing */
  lost?: (count: number) => string
}

/** Up to this much goes into a pipe as a whole, or not at all: so the lines of processes that share it stay whole. */
const atomicBytes = 4_096
const againMs = 50

export function openSink(fd: number, options: SinkOptions = {}): Sink {
  return isFile(fd) ? fileSink(fd, options) : pipeSink(fd, options)
}

/** Written at once: nobody has to read it first. */
function fileSink(fd: number, { lost = nothing }: SinkOptions): Sink {
  const encoder = new TextEncoder()
  let dropped = 0
  return {
    write(lines) {
      try {
        if (dropped > 0) writeAll(lost(dropped))
        dropped = 0
        writeAll(lines)
      } catch {
        // A full disk, most likely.
        dropped += 1
      }
    },
    flush: (done) => done?.(),
  }

  function writeAll(lines: string): void {
    const bytes = encoder.encode(lines)
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  }
}

/**
 * One write is under way at a time, on a thread of Bun's pool (which has two at least): only this thread waits. All
 * else waits in memory until then, so a `kill -9` loses it.
 */
function pipeSink(fd: number, { mostBytes = 2 ** 20, lost = nothing }: SinkOptions): Sink {
  const waiting: Buffer[] = []
  let waitingBytes = 0
  let dropped = 0
  let writing = false
  let flushed: (() => void)[] = []
  return {
    write(lines) {
      if (waitingBytes >= mostBytes) dropped += 1
      else {
        tellLost()
        add(lines)
      }
      if (!writing) next()
    },
    flush(done) {
      if (done === undefined) return
      if (writing) flushed.push(done)
      else done()
    },
  }

  /** Stands where they would have stood. */
  function tellLost(): void {
    if (dropped === 0) return
    add(lost(dropped))
    dropped = 0
  }

  function add(lines: string): void {
    const bytes = Buffer.from(lines)
    waiting.push(bytes)
    waitingBytes += bytes.length
  }

  function next(): void {
    if (waiting.length === 0) tellLost()
    writing = waiting.length > 0
    if (writing) {
      send(take())
      return
    }
    const told = flushed
    flushed = []
    for (const done of told) done()
  }

  function take(): Buffer {
    let bytes = waiting[0]?.length ?? 0
    let lines = 1
    for (; lines < waiting.length; lines++) {
      bytes += waiting[lines]?.length ?? 0
      if (bytes > atomicBytes) break
    }
    const taken = Buffer.concat(waiting.splice(0, lines))
    waitingBytes -= taken.length
    return taken
  }

  function send(bytes: Buffer): void {
    write(fd, bytes, (error, count) => {
      // Somebody who shares the descriptor has told it not to wait.
      if (error?.code === 'EAGAIN') setTimeout(send, againMs, bytes)
      else if (error === null && count < bytes.length) send(bytes.subarray(count))
      // Any other error: whoever read has gone, and nobody misses it.
      else next()
    })
  }
}

const patienceMs = 250

/** Resolves when all is written, or after a quarter of a second: to await before a process ends itself. */
export async function written(sink: Pick<Sink, 'flush'>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  sink.flush(resolve)
  await Promise.race([promise, Bun.sleep(patienceMs)])
}

const nothing = () => ''

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}
