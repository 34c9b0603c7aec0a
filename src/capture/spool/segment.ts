import { closeSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { closedName, type Depot, segmentsIn } from './depot.ts'
import type { Room } from './room.ts'

/** Also the size of a part of a larger batch: never changed, as parts of one batch may come from two releases. */
export const segmentBytes = 1024 * 1024
export const segmentAgeMs = 200
/** How many batches the forwarder sends before it hears of the first one. */
export const maxOutstanding = 16

type Current = {
  number: number
  path: string
  fd: number
  bytes: number
  exchanges: number
  seq: number
  since: number
}

/** The segment that is written to: closed at 1 MiB, or 200 ms after its first exchange. */
export class SegmentWriter {
  readonly #depot: Depot
  readonly #room: Room
  #current: Current | null = null

  constructor(depot: Depot, room: Room) {
    this.#depot = depot
    this.#room = room
  }

  get empty(): boolean {
    return this.#current === null
  }

  /**
   * Appends whole runs of one exchange in one write.
   * @throws SpoolFullError where it does not fit; nothing is changed
   */
  append(run: Uint8Array, seq: number): void {
    if (this.#current !== null && this.#current.bytes + run.length > segmentBytes) this.close()
    this.#current ??= this.#begin()
    const current = this.#current
    this.#room.append(current.fd, run, current.bytes)
    current.bytes += run.length
    current.exchanges += 1
    if (seq > current.seq) current.seq = seq
  }

  /** While enough batches wait already, closing early would only make many small files. */
  closeIfOld(now: number): void {
    const old = this.#current !== null && now - this.#current.since >= segmentAgeMs
    if (old && this.#depot.batches.length < maxOutstanding) this.close()
  }

  close(): void {
    const current = this.#current
    if (current === null) return
    this.#current = null
    this.#depot.writing = null
    closeSync(current.fd)
    if (current.exchanges === 0) {
      rmSync(current.path, { force: true })
      return
    }
    this.#depot.step('rotate:closed')
    const path = join(segmentsIn(this.#depot.dir), closedName(current.number, current.exchanges, current.seq))
    renameSync(current.path, path)
    this.#depot.step('rotate:renamed')
    const { number, bytes, exchanges } = current
    this.#depot.add({ number, path, bytes, exchanges, lost: 0, place: 'spooled', found: false })
  }

  /** Makes a file that holds one sealed exchange a batch of its own: an atomic move, so never in two places. */
  adopt(file: { path: string; size: number; seq: number }): void {
    const number = this.#depot.nextNumber()
    const path = join(segmentsIn(this.#depot.dir), closedName(number, 1, file.seq))
    renameSync(file.path, path)
    this.#depot.step('adopt:renamed')
    this.#depot.add({ number, path, bytes: file.size, exchanges: 1, lost: 0, place: 'spooled', found: false })
  }

  #begin(): Current {
    const number = this.#depot.nextNumber()
    const path = join(segmentsIn(this.#depot.dir), `${number}.seg`)
    const fd = this.#room.create(path)
    this.#depot.writing = number
    return { number, path, fd, bytes: 0, exchanges: 0, seq: 0, since: performance.now() }
  }
}
