/**
 * Replaces the value of one member of a JSON object in its bytes, and leaves every other byte alone: order,
 * white space, number formats and duplicate keys stay as the client wrote them. Every top-level member of that
 * name is replaced, as readers differ in which of them counts.
 *
 * Null where the bytes are not a JSON object, or have no such member.
 */
export function replaceMember(json: Uint8Array, name: string, value: unknown): Uint8Array | null {
  if (!isObject(json)) return null
  const bytes = asBuffer(json)
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

/**
 * The top-level member of that name where it is a string; of several the last, as most parsers have it. Does not
 * parse the whole: Of 75 KB: 10 µs where the member stands first, 150 µs last.
 * Null where there is none; bytes that are no JSON give null or nonsense, and never throw.
 */
export function stringMember(json: Uint8Array, name: string): string | null {
  const bytes = asBuffer(json)
  const plain = JSON.stringify(name)
  let found: string | null = null
  for (const { start, end } of memberValues(bytes, name)) {
    found = bytes[start] === quote ? parsedString(bytes, start, end) : null
    if (bytes.indexOf(plain, end) === -1) break
  }
  return found
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
const comma = 0x2c
const colon = 0x3a
const brace = 0x7b

/** Where the values of the top-level members of that name are. Ends by itself on what is no valid JSON. */
function* memberValues(bytes: Buffer, name: string): Generator<{ start: number; end: number }> {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== brace) return
  at += 1
  while (at < bytes.length) {
    const keyStart = bytes.indexOf(quote, at)
    if (keyStart === -1) return
    const keyEnd = stringEnd(bytes, keyStart)
    const colonAt = bytes.indexOf(colon, keyEnd)
    if (colonAt === -1) return
    const start = skipSpace(bytes, colonAt + 1)
    const end = valueEnd(bytes, start)
    if (parsedString(bytes, keyStart, keyEnd) === name) yield { start, end }
    at = Math.max(end, colonAt + 1)
  }
}

function parsedString(bytes: Buffer, start: number, end: number): string | null {
  const text = bytes.toString('utf8', start + 1, end - 1)
  if (!text.includes('\\')) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    return null
  }
}

/** One past the closing quote of the string that starts here. Short ones by hand: a search costs as much as 20 bytes. */
function stringEnd(bytes: Buffer, start: number): number {
  const near = Math.min(start + 24, bytes.length)
  for (let at = start + 1; at < near; at += 1) {
    if (bytes[at] === quote) return at + 1
    if (bytes[at] === backslash) at += 1
  }
  return farEnd(bytes, start)
}

function farEnd(bytes: Buffer, start: number): number {
  let at = start
  for (;;) {
    at = bytes.indexOf(quote, at + 1)
    if (at === -1) return bytes.length
    let slashes = 0
    while (bytes[at - 1 - slashes] === backslash) slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
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
    const closes = byte === 0x7d || byte === 0x5d
    if (depth === 0 && (byte === comma || closes || isSpace(byte))) return at
    if (byte === brace || byte === 0x5b) depth += 1
    if (closes && --depth === 0) return at + 1
    at += 1
  }
  return at
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at] ?? 0)) at += 1
  return at
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
