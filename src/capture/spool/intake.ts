import type { CaptureMode } from '../exchange.ts'
import { type Kind, kinds } from './wire.ts'

/**
 * The bytes of an exchange on their way to disk: counted, and held until they are written. This is where the mode
 * decides what may become durable: nothing behind this point sees any other bytes.
 */
export class Intake {
  requests: Uint8Array[] = []
  responses: Uint8Array[] = []
  requestBytes = 0
  responseBytes = 0
  /** Bytes in memory, and bytes ever taken to be kept. */
  held = 0
  kept = 0
  #digests: { request_sha256: string; response_sha256: string } | null = null
  readonly #hashes: { request: Bun.CryptoHasher; response: Bun.CryptoHasher } | null

  constructor(mode: CaptureMode) {
    this.#hashes =
      mode === 'metadata'
        ? { request: new Bun.CryptoHasher('sha256'), response: new Bun.CryptoHasher('sha256') }
        : null
  }

  count(kind: Kind, bytes: Uint8Array): void {
    if (kind === kinds.request) this.requestBytes += bytes.length
    else this.responseBytes += bytes.length
  }

  /** In `metadata` mode the bytes end here. A `redacted` mode will put its transform here, for both directions. */
  keep(kind: Kind, bytes: Uint8Array): void {
    if (this.#hashes !== null) {
      this.#hashes[kind === kinds.request ? 'request' : 'response'].update(bytes)
      return
    }
    if (kind === kinds.request) this.requests.push(bytes)
    else this.responses.push(bytes)
    this.held += bytes.length
    this.kept += bytes.length
  }

  /**
   * Hands out what is held, all at once where it is no more than that many bytes, otherwise in pieces of that size;
   * forgets each when it was taken without an error. Called at least once, also with nothing.
   */
  drain(pieceBytes: number, take: (chunks: (readonly [Kind, Uint8Array[]])[]) => void): void {
    while (this.held > pieceBytes) {
      const side = this.requests.length > 0 ? 'requests' : 'responses'
      const { piece, rest } = cut(this[side], pieceBytes)
      take([[side === 'requests' ? kinds.request : kinds.response, piece]])
      this[side] = rest
      this.held -= piece.reduce((sum, chunk) => sum + chunk.length, 0)
    }
    take([
      [kinds.request, this.requests],
      [kinds.response, this.responses],
    ])
    this.dropHeld()
  }

  dropHeld(): void {
    this.requests = []
    this.responses = []
    this.held = 0
  }

  /** Hex; nothing where the bytes are kept. */
  digests(): { request_sha256?: string; response_sha256?: string } {
    if (this.#hashes !== null) {
      this.#digests ??= {
        request_sha256: this.#hashes.request.digest('hex'),
        response_sha256: this.#hashes.response.digest('hex'),
      }
    }
    return this.#digests ?? {}
  }
}

function cut(chunks: Uint8Array[], bytes: number): { piece: Uint8Array[]; rest: Uint8Array[] } {
  let length = 0
  for (const [at, chunk] of chunks.entries()) {
    if (length + chunk.length > bytes) {
      const fits = bytes - length
      return {
        piece: [...chunks.slice(0, at), chunk.subarray(0, fits)],
        rest: [chunk.subarray(fits), ...chunks.slice(at + 1)],
      }
    }
    length += chunk.length
  }
  return { piece: chunks, rest: [] }
}
