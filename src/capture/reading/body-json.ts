import { isUtf8 } from 'node:buffer'

/** A multiple of three, so that the pieces of base64 join without padding between them. */
const pieceLength = 3 * 64 * 1024

/** Bytes as a JSON object, in pieces: as text where they are UTF-8, else as base64, and marked which. */
export function* bodyJson(
  bytes: Uint8Array,
  notes: { content_encoding?: string; truncated?: boolean } = {},
): Generator<string> {
  const text = isUtf8(bytes)
  const head = JSON.stringify({ encoding: text ? 'utf8' : 'base64', ...notes })
  yield `${head.slice(0, -1)},"data":"`
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for (let at = 0; at < bytes.length; at += pieceLength) {
    const piece = bytes.subarray(at, at + pieceLength)
    yield text
      ? JSON.stringify(decoder.decode(piece, { stream: true })).slice(1, -1)
      : Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64')
  }
  yield '"}'
}
