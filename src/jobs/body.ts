import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** A value as a row keeps it: zstd-compressed UTF-8 JSON, so that any text survives; and its plain size in bytes. */
export function packed(value: unknown): { body: Buffer; bytes: number } {
  const plain = Buffer.from(JSON.stringify(value) ?? 'null')
  return { body: zstdCompressSync(plain), bytes: plain.length }
}

/** The JSON text of it, in bytes. */
export function unpacked(body: Uint8Array): Buffer {
  return zstdDecompressSync(body)
}

export function parsed(body: Uint8Array): unknown {
  return JSON.parse(unpacked(body).toString())
}
