const newline = 0x0a
const carriage = 0x0d

/** The frames of a stored stream, each with the empty line that ends it. Together they are the bytes, unchanged. */
export function* framesOf(body: Uint8Array): Generator<Uint8Array> {
  let start = 0
  let lineIsEmpty = true
  for (let at = 0; at < body.byteLength; at++) {
    const byte = body[at]
    if (byte === carriage) continue
    if (byte !== newline) {
      lineIsEmpty = false
      continue
    }
    if (lineIsEmpty) {
      yield body.subarray(start, at + 1)
      start = at + 1
    }
    lineIsEmpty = true
  }
  if (start < body.byteLength) yield body.subarray(start)
}
