import { closeSync, existsSync, ftruncateSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'

const spoolFull =
  'recording the exchange: the spool is full (SPOOL_MAX_BYTES, or its disk); calls go on when the store has caught up'

/** The disk bound is reached, or the disk is full. */
export class SpoolFullError extends SluiceError {
  constructor(cause?: unknown) {
    super(503, 'spool-full', spoolFull, {
      cause,
      headers: { 'retry-after': '5' },
    })
  }
}

const mebibyte = 1024 * 1024

/**
 * The room that the spool has on disk. While there is enough, a ballast file holds a reserve. At the bound, or when
 * the disk itself is full, the ballast is given up: from then on nothing new begins, and what is under way
 * finishes in its place. When there is room again the ballast is laid first.
 */
export class Room {
  bytes = 0
  readonly max: number
  readonly #reserve: number
  readonly #ballast: string
  readonly #log: Logger
  #state: 'ample' | 'reserve' = 'reserve'

  constructor(options: { dir: string; max: number; log: Logger }) {
    this.max = options.max
    this.#reserve = Math.min(16 * mebibyte, Math.max(Math.floor(options.max / 16), 64 * 1024))
    this.#ballast = join(options.dir, 'ballast')
    this.#log = options.log
  }

  /** May new exchanges begin? */
  get ample(): boolean {
    return this.#state === 'ample'
  }

  /** @throws SpoolFullError where the file cannot be made */
  create(path: string): number {
    try {
      return openSync(path, 'wx+')
    } catch (error) {
      if (!this.ample) throw new SpoolFullError(error)
      this.#giveUpBallast(errorText(error))
      return this.create(path)
    }
  }

  /**
   * Appends to a file of that size, all or nothing.
   * @throws SpoolFullError where it does not fit; the file is as it was
   */
  append(fd: number, bytes: Uint8Array, size: number): void {
    if (this.bytes + bytes.length + (this.ample ? this.#reserve : 0) > this.max) {
      this.#giveUpBallast('the bound is reached')
      if (this.bytes + bytes.length > this.max) throw new SpoolFullError()
    }
    try {
      appendAll(fd, bytes, size)
    } catch (error) {
      if (!this.ample) throw new SpoolFullError(error)
      this.#giveUpBallast(errorText(error))
      this.append(fd, bytes, size)
      return
    }
    this.bytes += bytes.length
  }

  free(bytes: number): void {
    this.bytes -= bytes
  }

  /** Lays the ballast where there is room for it again, and for as much beside it: not to give it up at once. */
  refill(): void {
    if (this.ample || this.bytes + 2 * this.#reserve > this.max) return
    try {
      if (!existsSync(this.#ballast) || statSync(this.#ballast).size !== this.#reserve) this.#layBallast()
      this.#state = 'ample'
    } catch (error) {
      rmSync(this.#ballast, { force: true })
      this.#log.debug({ reason: errorText(error) }, 'spool: no room for the reserve yet')
    }
  }

  /** Random bytes: a file system that compresses must not make light of them. */
  #layBallast(): void {
    const block = crypto.getRandomValues(new Uint8Array(64 * 1024))
    const fd = openSync(this.#ballast, 'w')
    try {
      for (let at = 0; at < this.#reserve; at += block.length) {
        appendAll(fd, block.subarray(0, Math.min(block.length, this.#reserve - at)), at)
      }
    } finally {
      closeSync(fd)
    }
  }

  #giveUpBallast(reason: string): void {
    if (!this.ample) return
    this.#state = 'reserve'
    rmSync(this.#ballast, { force: true })
    this.#log.error(
      { reason, bytes: this.bytes, max_bytes: this.max },
      'spool: full, new exchanges are held off',
    )
  }
}

/** @throws the file system's error; the file is cut back to its size before */
function appendAll(fd: number, bytes: Uint8Array, size: number): void {
  try {
    let written = writeSync(fd, bytes, 0, bytes.length, size)
    while (written < bytes.length) {
      const more = writeSync(fd, bytes, written, bytes.length - written, size + written)
      if (more === 0) throw new Error('appending to the spool: nothing was written')
      written += more
    }
  } catch (error) {
    ftruncateSync(fd, size)
    throw error
  }
}
