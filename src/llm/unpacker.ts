import { constants, createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'

/** Undoes the encoding of a stream while it passes, on a thread of its own. Never throws. */
export type Unpacker = {
  push(chunk: Uint8Array): void
  /** Resolves when all that was pushed, and can be unpacked, was handed on. */
  end(): Promise<void>
}

/** What may wait to be unpacked, in bytes: no answer comes faster for long. */
const mostWaiting = 4 * 1024 * 1024
/** What is handed on in all, in bytes: past it, it is a bomb. */
const mostUnpacked = 256 * 1024 * 1024

/**
 * In memory that is bounded, whatever passes: what goes past its bounds, or is not of the encoding, ends the
 * unpacking with what was handed on before. Null where the encoding is another, or several.
 */
export function openUnpacker(encoding: string, onward: (bytes: Uint8Array) => void): Unpacker | null {
  const unpack = unpackers[encoding.trim().toLowerCase()]?.() ?? null
  if (unpack === null) return null
  const { promise: over, resolve } = Promise.withResolvers<void>()
  let size = 0
  let isOver = false
  const stop = () => {
    isOver = true
    resolve()
  }
  const giveUp = () => {
    stop()
    unpack.destroy()
  }
  unpack.on('data', (bytes: Uint8Array) => {
    if (isOver) return
    size += bytes.byteLength
    if (size > mostUnpacked) giveUp()
    else onward(bytes)
  })
  unpack.once('end', stop)
  unpack.once('close', stop)
  unpack.on('error', stop)

  return {
    push(chunk) {
      if (isOver) return
      if (unpack.writableLength + chunk.byteLength > mostWaiting) giveUp()
      else unpack.write(chunk)
    },
    end() {
      if (!isOver) unpack.end()
      return over
    },
  }
}

/** Broken off, they give what was whole up to there. */
const gzip = () => createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
const unpackers: Record<string, () => ReturnType<typeof createGunzip>> = {
  gzip,
  'x-gzip': gzip,
  br: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: () => createZstdDecompress({ finishFlush: constants.ZSTD_e_flush }),
}
