import { type Json, object, parseJson } from './json.ts'

/**
 * The whole objects in a text that is not JSON as such: JSON lines, or an array that broke off. An object that
 * is cut or malformed is passed over.
 */
export function splitJson(text: string): Json[] {
  const found: Json[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charCodeAt(i)
    if (character === quote && depth > 0) {
      i = endOfString(text, i)
    } else if (character === open) {
      if (depth === 0) start = i
      depth += 1
    } else if (character === close && depth > 0) {
      depth -= 1
      const value = depth === 0 ? object(parseJson(text.slice(start, i + 1))) : null
      if (value !== null) found.push(value)
    }
  }
  return found
}

const quote = 0x22
const backslash = 0x5c
const open = 0x7b
const close = 0x7d

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text.charCodeAt(i) !== quote) i += text.charCodeAt(i) === backslash ? 2 : 1
  return i
}
