import { closeSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Room } from './room.ts'

/** The file of one exchange that takes long, or is large. It is appended to until its SEAL is in it. */
export class OpenFile {
  readonly path: string
  size = 0
  readonly #room: Room
  readonly #fd: number
  #closed = false

  constructor(dir: string, id: string, room: Room) {
    this.path = join(openFilesIn(dir), id)
    this.#room = room
    this.#fd = room.create(this.path)
  }

  /** @throws SpoolFullError where it does not fit; the file is as it was */
  append(frames: Uint8Array): void {
    this.#room.append(this.#fd, frames, this.size)
    this.size += frames.length
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }

  remove(): void {
    this.close()
    rmSync(this.path, { force: true })
    this.#room.free(this.size)
  }
}

export function openFilesIn(dir: string): string {
  return join(dir, 'open')
}
