/**
 * Matches text made of these parts with anything between them. By hand, as patterns come from servers too: an
 * expression of many wildcards can keep a regular expression busy for years.
 */
export function matchesParts(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at + last.length <= text.length && text.endsWith(last)
}
