import { cleanText } from '#lib/errors'

/** Careful looks into JSON that somebody else wrote: what is not there, or of another kind, is null or empty. */
export type Fields = Record<string, unknown>

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}

/** A string that is not empty, bounded, and of text that a database takes: names and ids. */
export function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? cleanText(value.slice(0, 256)) || null : null
}

/** A string that is not empty. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
