/**
 * Replaces the value of one member of a JSON object in its bytes, and leaves every other byte alone: order,
 * white space, number formats and duplicate keys stay as the client wrote them. Every top-level member of that
 * name is replaced, as readers differ in which of them counts.
 *
 * Null where the bytes are not a JSON object, or have no such member.
 */
export function replaceMember(json: Uint8Array, name: string, value: unknown): Uint8Array | null {
  if (!isObject(json)) return null
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength)
  const replacement = Buffer.from(JSON.stringify(value))
  const parts: Uint8Array[] = []
  let kept = 0
  for (const span of memberValues(bytes, name)) {
    parts.push(bytes.subarray(kept, span.start), replacement)
    kept = span.end
  }
  if (parts.length === 0) return null
  parts.push(bytes.subarray(kept))
  return Buffer.concat(parts)
}

function isObject(json: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(json))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const quote = 0x22
const backslash = 0x5c
const opening = new Set([0x7b, 0x5b])
const closing = new Set([0x7d, 0x5d])
const space = new Set([0x20, 0x09, 0x0a, 0x0d])
const comma = 0x2c
const colon = 0x3a

/** Where the values of the top-level members of that name are. Relies on the bytes being valid JSON. */
function* memberValues(bytes: Buffer, name: string): Generator<{ start: number; end: number }> {
  let at = bytes.indexOf('{') + 1
  while (at < bytes.length) {
    const keyStart = bytes.indexOf(quote, at)
    if (keyStart === -1) return
    const keyEnd = stringEnd(bytes, keyStart)
    const start = skip(bytes, bytes.indexOf(colon, keyEnd) + 1, space)
    const end = valueEnd(bytes, start)
    if (JSON.parse(bytes.toString('utf8', keyStart, keyEnd)) === name) yield { start, end }
    at = end
  }
}

/** One past the closing quote of the string that starts here. */
function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at + 1
}

function valueEnd(bytes: Buffer, start: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte === quote) {
      at = stringEnd(bytes, at)
      if (depth === 0) return at
      continue
    }
    if (depth === 0 && (byte === comma || closing.has(byte) || space.has(byte))) return at
    if (opening.has(byte)) depth++
    if (closing.has(byte) && --depth === 0) return at + 1
    at++
  }
  return at
}

function skip(bytes: Buffer, from: number, set: ReadonlySet<number>): number {
  let at = from
  while (set.has(bytes[at] ?? 0)) at++
  return at
}
