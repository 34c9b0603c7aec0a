import { Readable, type Transform } from 'node:stream'
import zlib from 'node:zlib'

/**
 * What stored bytes say under their `content-encoding`. A stream that broke off gives what can be read of it.
 * Null where an encoding is not known.
 */
export function decodedStream(bytes: Uint8Array, encoding: string | null): AsyncGenerator<Uint8Array> | null {
  const steps = encodings(encoding)
  if (!steps.every((step) => step in decoders)) return null
  let stream: Readable = Readable.from(slices(bytes))
  for (const step of steps) {
    const source = stream
    const decoder = decoders[step]?.()
    if (decoder === undefined) return null
    source.on('error', (error) => decoder.destroy(error))
    stream = source.pipe(decoder)
  }
  return untilBroken(stream)
}

/** The decoded bytes up to `limit`; `whole` is false where there was more. */
export async function decodedBytes(
  bytes: Uint8Array,
  encoding: string | null,
  limit: number,
): Promise<{ bytes: Uint8Array; whole: boolean } | null> {
  if (encodings(encoding).length === 0)
    return { bytes: bytes.subarray(0, limit), whole: bytes.length <= limit }
  const stream = decodedStream(bytes, encoding)
  if (stream === null) return null
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of stream) {
    parts.push(part)
    length += part.length
    if (length > limit) break
  }
  return { bytes: Buffer.concat(parts).subarray(0, limit), whole: length <= limit }
}

/** Last applied first, which is the order to undo them. */
function encodings(encoding: string | null): string[] {
  return (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '' && word !== 'identity')
    .reverse()
}

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH, ZSTD_e_flush } = zlib.constants

/** Each set not to fail at its end where that is missing. */
const decoders: Record<string, () => Transform> = {
  gzip: () => zlib.createGunzip({ finishFlush: Z_SYNC_FLUSH }),
  'x-gzip': () => zlib.createGunzip({ finishFlush: Z_SYNC_FLUSH }),
  deflate: () => zlib.createInflate({ finishFlush: Z_SYNC_FLUSH }),
  br: () => zlib.createBrotliDecompress({ finishFlush: BROTLI_OPERATION_FLUSH }),
  zstd: () => zlib.createZstdDecompress({ finishFlush: ZSTD_e_flush }),
}

function* slices(bytes: Uint8Array, size = 64 * 1024): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* untilBroken(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>
  } catch {
    // What came before is what there is.
  } finally {
    stream.destroy()
  }
}
