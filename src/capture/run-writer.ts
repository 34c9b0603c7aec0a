import type { ExchangeEnd, ExchangeOpen } from './exchange.ts'
import { closeFrame, headerBytes, idBytes, type Kind, kinds, maxBody } from './wire.ts'

const empty = Buffer.alloc(0)

/**
 * Builds frames of one exchange after the other in a buffer that is used again and again: one per process is
 * enough, as long as what it holds is written before the next run is begun.
 */
export class RunWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  length = 0
  #id: Buffer = empty

  /** Starts anew, for frames of that exchange. */
  begin(id: Buffer): void {
    this.length = 0
    this.#id = id
  }

  open(open: ExchangeOpen, id: Buffer = idBytes(open.id)): void {
    this.begin(id)
    this.#text(kinds.open, JSON.stringify(open))
  }

  seal(end: ExchangeEnd): void {
    this.#text(kinds.seal, JSON.stringify(end))
  }

  /** One frame, or several of at most 256 KiB. No bytes, no frame. */
  body(kind: Kind, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += maxBody) {
      const piece = bytes.length <= maxBody ? bytes : bytes.subarray(from, from + maxBody)
      this.#need(headerBytes + piece.length)
      this.buffer.set(piece, this.length + headerBytes)
      this.length = closeFrame(this.buffer, this.length, kind, this.#id, piece.length)
    }
  }

  /** A view of what was written; valid until the next `begin`. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** What was written, as bytes of their own. */
  take(): Uint8Array {
    return new Uint8Array(this.view())
  }

  #text(kind: Kind, text: string): void {
    this.#need(headerBytes + text.length * 3)
    const written = this.buffer.write(text, this.length + headerBytes)
    this.length = closeFrame(this.buffer, this.length, kind, this.#id, written)
  }

  #need(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}
