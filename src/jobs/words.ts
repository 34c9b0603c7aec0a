import { cleanText } from '#lib/errors'

/** Of an input's text so much can be found again. */
const mostCharacters = 64 * 1024
/** Longer ones are data and no words. */
const longestText = 16 * 1024

/** The texts and numbers in a value, as one text to search in; names of fields are left out. */
export function wordsOf(value: unknown, limit = mostCharacters): string {
  const parts: string[] = []
  let room = limit
  collect(value)
  return cleanText(parts.join(' '))

  function collect(one: unknown): void {
    if (room <= 0) return
    if (typeof one === 'string') add(one.slice(0, Math.min(room, longestText)))
    else if (typeof one === 'number') add(String(one))
    else if (Array.isArray(one)) for (const inner of one) collect(inner)
    else if (typeof one === 'object' && one !== null) for (const inner of Object.values(one)) collect(inner)
  }

  function add(text: string): void {
    parts.push(text)
    room -= text.length + 1
  }
}
