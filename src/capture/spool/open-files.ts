import { closeSync, ftruncateSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Room } from './room.ts'

const mostSpares = 1024

/**
 * The files of exchanges that take long, or are large. They are emptied and used again, not deleted: making a file
 * costs 25 µs on a quiet ext4, and a millisecond where thousands were deleted in the last half minute; emptying
 * one costs 7 µs.
 */
export class OpenFiles {
  readonly #dir: string
  readonly #room: Room
  readonly #spares: OpenFile[] = []
  #made = 0

  /** Takes over the empty files that are there. */
  constructor(dir: string, room: Room) {
    this.#dir = openFilesIn(dir)
    this.#room = room
    for (const name of readdirSync(this.#dir)) {
      const path = join(this.#dir, name)
      if (/^\d+$/.test(name)) this.#made = Math.max(this.#made, Number(name))
      if (statSync(path).size === 0 && this.#spares.length < mostSpares) {
        this.#spares.push(new OpenFile(path, openSync(path, 'r+'), room))
      }
    }
  }

  /** @throws SpoolFullError where none can be made */
  take(): OpenFile {
    const spare = this.#spares.pop()
    if (spare !== undefined) return spare
    const path = join(this.#dir, String(++this.#made))
    return new OpenFile(path, this.#room.create(path), this.#room)
  }

  /** Empties the file, in one step: from then on the exchange is not in it. */
  giveBack(file: OpenFile): void {
    file.empty()
    if (this.#spares.length < mostSpares) {
      this.#spares.push(file)
    } else {
      file.close()
      rmSync(file.path)
    }
  }

  close(): void {
    for (const spare of this.#spares.splice(0)) spare.close()
  }
}

/** One exchange's frames, appended to until the SEAL is among them. */
export class OpenFile {
  readonly path: string
  size = 0
  readonly #room: Room
  readonly #fd: number

  constructor(path: string, fd: number, room: Room) {
    this.path = path
    this.#fd = fd
    this.#room = room
  }

  /** @throws SpoolFullError where it does not fit; the file is as it was */
  append(frames: Uint8Array): void {
    this.#room.append(this.#fd, frames, this.size)
    this.size += frames.length
  }

  read(): Buffer {
    const bytes = Buffer.allocUnsafe(this.size)
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(this.#fd, bytes, at, bytes.length - at, at)
      if (count === 0) throw new Error(`reading ${this.path}: it ends at ${at}, and should at ${this.size}`)
      at += count
    }
    return bytes
  }

  empty(): void {
    ftruncateSync(this.#fd, 0)
    this.#room.free(this.size)
    this.size = 0
  }

  close(): void {
    closeSync(this.#fd)
  }
}

export function openFilesIn(dir: string): string {
  return join(dir, 'open')
}
