import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'

/** Would this body unpack to more than `limit` bytes? One that does not unpack at all is the upstream's to judge. */
export function isBomb(body: Uint8Array, encoding: string, limit: number): boolean {
  const unpack = unpackers[encoding.trim().toLowerCase()]
  if (unpack === undefined) return false
  try {
    unpack(body, { maxOutputLength: limit })
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
  }
}

const unpackers: Record<string, (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}
