/**
 * One frame of the spool, little endian:
 * `u32 magic | u32 payload length | u32 crc32(kind, id, payload) | u8 kind | 16-byte id | payload`.
 * The id is the exchange's. The magic starts with a byte that UTF-8 never holds, so that a reader can find the
 * next frame after damage.
 */
export const kinds = { open: 1, request: 2, response: 3, seal: 4 } as const
export type Kind = (typeof kinds)[keyof typeof kinds]

export const headerBytes = 29
/** Longer bodies are cut into several frames, so that damage costs little and buffers stay small. */
export const maxBody = 256 * 1024

const magic = 0x43_4c_53_f5
const magicBytes = Buffer.from([0xf5, 0x53, 0x4c, 0x43])
const maxPayload = 64 * 1024 * 1024
const crcFrom = 12
const idFrom = 13

export type Frame = { kind: Kind; id: string; start: number; end: number }

/** Writes the header of a frame whose payload is already in place behind it. Returns the frame's end. */
export function closeFrame(into: Buffer, at: number, kind: Kind, id: Uint8Array, payload: number): number {
  const end = at + headerBytes + payload
  into.writeUInt32LE(magic, at)
  into.writeUInt32LE(payload, at + 4)
  into[at + crcFrom] = kind
  into.set(id, at + idFrom)
  into.writeUInt32LE(Bun.hash.crc32(into.subarray(at + crcFrom, end)), at + 8)
  return end
}

/** The frame at that position, or null where there is none that is whole and right. */
export function readFrame(bytes: Buffer, at: number): Frame | null {
  const end = claimedEnd(bytes, at)
  if (end === null) return null
  const kind = bytes[at + crcFrom]
  if (kind === undefined || kind < kinds.open || kind > kinds.seal) return null
  if (Bun.hash.crc32(bytes.subarray(at + crcFrom, end)) !== bytes.readUInt32LE(at + 8)) return null
  return { kind: kind as Kind, id: idText(bytes, at + idFrom), start: at + headerBytes, end }
}

/** Where the frame at that position says that it ends, its checksum not looked at; null where that is nonsense. */
export function claimedEnd(bytes: Buffer, at: number): number | null {
  if (at + headerBytes > bytes.length || bytes.readUInt32LE(at) !== magic) return null
  const length = bytes.readUInt32LE(at + 4)
  const end = at + headerBytes + length
  return length > maxPayload || end > bytes.length ? null : end
}

export function nextMagic(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(magicBytes, from)
  return at === -1 ? bytes.length : at
}

export function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

function idText(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
