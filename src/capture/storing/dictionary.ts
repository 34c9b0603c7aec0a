import { promisify } from 'node:util'
import zlib from 'node:zlib'

/** Above this the event loop is not held: the worker must go on renewing the lock of its job. */
const asyncFrom = 1024 * 1024

const compressLater = promisify(zlib.zstdCompress)
const decompressLater = promisify(zlib.zstdDecompress)

/**
 * zstd with earlier bytes as dictionary: what they share with it costs next to nothing. Measured: 200 KB of which
 * 3 KB are new become 760 bytes in 0.35 ms; without a dictionary 44 KB.
 */
export async function compressWith(dictionary: Uint8Array | null, bytes: Uint8Array): Promise<Uint8Array> {
  const options = compressOptions(dictionary, bytes.length)
  return bytes.length < asyncFrom
    ? zlib.zstdCompressSync(bytes, options)
    : await compressLater(bytes, options)
}

/** @throws Error where the bytes are damaged or the dictionary is another one */
export async function decompressWith(dictionary: Uint8Array | null, bytes: Uint8Array): Promise<Uint8Array> {
  const options: zlib.ZstdOptions = {
    params: { [zlib.constants.ZSTD_d_windowLogMax]: widestWindow },
    ...(dictionary === null ? {} : { dictionary: asBuffer(dictionary) }),
  }
  return bytes.length < asyncFrom
    ? zlib.zstdDecompressSync(bytes, options)
    : await decompressLater(bytes, options)
}

const widestWindow = 27

/** The window must reach back over the whole dictionary; long-distance matching pays only where it is wide. */
function compressOptions(dictionary: Uint8Array | null, length: number): zlib.ZstdOptions {
  const reach = length + (dictionary?.length ?? 0)
  const window = Math.min(widestWindow, Math.max(17, Math.ceil(Math.log2(reach + 1))))
  return {
    pledgedSrcSize: length,
    params: {
      [zlib.constants.ZSTD_c_compressionLevel]: 3,
      [zlib.constants.ZSTD_c_windowLog]: window,
      [zlib.constants.ZSTD_c_enableLongDistanceMatching]: window > 21 ? 1 : 0,
    },
    ...(dictionary === null ? {} : { dictionary: asBuffer(dictionary) }),
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
