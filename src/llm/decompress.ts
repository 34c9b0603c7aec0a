import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib'

/**
 * The bytes behind a `content-encoding`. A body that broke off gives what was whole up to there.
 * Null where the encoding is unknown, the bytes are not of it, or they would grow past `limit` (a bomb).
 */
export function decompress(body: Uint8Array, encoding: string | null, limit: number): Uint8Array | null {
  const steps = (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((step) => step.trim())
  let bytes = body
  // Listed in the order in which they were applied.
  for (const step of steps.reverse()) {
    if (step === '' || step === 'identity') continue
    const unpack = unpackers[step]
    if (unpack === undefined) return null
    try {
      bytes = unpack(bytes, limit)
    } catch {
      return null
    }
  }
  return bytes
}

type Unpack = (bytes: Uint8Array, limit: number) => Uint8Array

const gzip: Unpack = (bytes, limit) =>
  gunzipSync(bytes, { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH })

const unpackers: Record<string, Unpack> = {
  gzip,
  'x-gzip': gzip,
  deflate,
  br: (bytes, limit) =>
    brotliDecompressSync(bytes, {
      maxOutputLength: limit,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
  zstd: (bytes, limit) =>
    zstdDecompressSync(bytes, { maxOutputLength: limit, finishFlush: constants.ZSTD_e_flush }),
}

/** The word means zlib's format, but some send the bare one. */
function deflate(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  const options = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH }
  const zlib = ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0
  return zlib ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
}
