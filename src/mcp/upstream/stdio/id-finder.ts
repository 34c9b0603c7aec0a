import type { Id } from '../../wire/message.ts'

export type IdFinder = {
  /** Takes the next bytes of a JSON object. */
  push(bytes: Uint8Array): void
  /** The top-level `id`, if it has passed. */
  id(): Id | null
}

const quote = 0x22
const backslash = 0x5c
/** An id longer than this is none of ours. */
const longest = 64

/**
 * Finds the `id` of a message that is too large to be kept: some servers write it last. Follows strings and depth,
 * keeps nothing else. Of 80 MB: 0.1 s.
 */
export function openIdFinder(): IdFinder {
  let depth = 0
  let inString = false
  let escaped = false
  /** At depth 1: the key being read, or the one whose value is read. */
  let key = ''
  let part: 'key' | 'value' = 'key'
  let value = ''
  let found: Id | null = null

  function take(code: number): void {
    if (inString) {
      if (depth === 1) collect(code)
      if (escaped) escaped = false
      else if (code === backslash) escaped = true
      else if (code === quote) inString = false
      return
    }
    if (code === quote) inString = true
    if (depth === 1 && code === 0x3a) part = 'value'
    else if (depth === 1 && (code === 0x2c || code === 0x7d)) endMember()
    else if (depth === 1) collect(code)
    if (code === 0x7b || code === 0x5b) depth += 1
    if (code === 0x7d || code === 0x5d) depth -= 1
  }

  /** Passes over what cannot hold the id, with nothing called on the way: 64 MB come at once. */
  function skip(bytes: Uint8Array, from: number): number {
    const isLong = part === 'value' && value.length >= longest
    let [at, nested, quoted, literal] = [from, depth, inString, escaped]
    for (; at < bytes.length && (nested > 1 || (quoted && isLong)); at += 1) {
      const code = bytes[at]
      if (literal) literal = false
      else if (quoted) {
        if (code === quote) quoted = false
        else if (code === backslash) literal = true
      } else if (code === quote) quoted = true
      else if (code === 0x7b || code === 0x5b) nested += 1
      else if (code === 0x7d || code === 0x5d) nested -= 1
    }
    depth = nested
    inString = quoted
    escaped = literal
    return at
  }

  function collect(code: number): void {
    if (part === 'key' && key.length < longest) key += String.fromCharCode(code)
    if (part === 'value' && value.length < longest) value += String.fromCharCode(code)
  }

  function endMember(): void {
    if (key.trim() === '"id"') found = idOf(value)
    key = ''
    value = ''
    part = 'key'
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length; at += 1) {
        at = skip(bytes, at)
        const code = bytes[at]
        if (code !== undefined) take(code)
      }
    },
    id: () => found,
  }
}

function idOf(text: string): Id | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'number' || typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
