/** Careful looks into JSON that somebody else wrote: what is not there, or of another kind, is null or empty. */

export type Json = Record<string, unknown>

/** Larger bodies are stored like any other, but not read: their parse would hold the process up. */
export const readableBytes = 32 * 1024 * 1024

export function object(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The objects of a list; anything else in it is passed over. */
export function objects(value: unknown): Json[] {
  return list(value).filter((item): item is Json => object(item) !== null)
}

/** A string that is not empty. */
export function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** A count of tokens. What no model could count is a fault of the sender, and would not fit a column. */
export function count(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value < 1e12 ? Math.round(value) : null
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The object in a body; null where it is none, cannot be read, or is too large. */
export function parseBody(body: Uint8Array): Json | null {
  if (body.byteLength === 0 || body.byteLength > readableBytes) return null
  return object(parseJson(new TextDecoder().decode(body)))
}

/** JSON with sorted keys, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
}
