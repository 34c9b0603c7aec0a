import type { ExchangeEnd, ExchangeOpen } from '../exchange.ts'
import { closeFrame, headerBytes, idBytes, type Kind, kinds, maxBody } from './wire.ts'

const empty = Buffer.alloc(0)

/**
 * Builds frames of one exchange after the other in a buffer that is used again and again: one per process is
 * enough, as long as what it holds is written before the next run is begun.
 */
export class RunWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  #length = 0
  #id: Uint8Array = empty

  /** Starts anew, for frames of that exchange. */
  begin(id: Uint8Array): void {
    this.#length = 0
    this.#id = id
  }

  /** Starts anew, with the OPEN frame. */
  open(open: ExchangeOpen): void {
    this.begin(idBytes(open.id))
    this.#text(kinds.open, JSON.stringify(open))
  }

  seal(end: ExchangeEnd): void {
    this.#text(kinds.seal, JSON.stringify(end))
  }

  /** Joins the chunks to frames of at most 256 KiB. No bytes, no frame. */
  body(kind: Kind, chunks: readonly Uint8Array[]): void {
    let payload = 0
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) {
        const piece = Math.min(chunk.length - from, maxBody - payload)
        this.#need(headerBytes + payload + piece)
        const part = piece === chunk.length ? chunk : chunk.subarray(from, from + piece)
        this.#buffer.set(part, this.#length + headerBytes + payload)
        payload += piece
        from += piece
        if (payload === maxBody) payload = this.#close(kind, payload)
      }
    }
    if (payload > 0) this.#close(kind, payload)
  }

  /** A view of what was written; valid until the next run is begun. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  #close(kind: Kind, payload: number): 0 {
    this.#length = closeFrame(this.#buffer, this.#length, kind, this.#id, payload)
    return 0
  }

  #text(kind: Kind, text: string): void {
    this.#need(headerBytes + text.length * 3)
    this.#close(kind, this.#buffer.write(text, this.#length + headerBytes))
  }

  #need(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes))
    larger.set(this.#buffer)
    this.#buffer = larger
  }
}
