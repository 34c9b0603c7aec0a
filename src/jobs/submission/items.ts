import { InputError, SluiceError } from '#lib/errors'
import { parseJson } from '#lib/input'
import { mostItems } from './limits.ts'

/** A line that is no JSON: one bad item, and no reason to refuse the others. */
export const unreadable = Symbol('unreadable')

/** The items of a batch: a JSON array, or with `application/x-ndjson` one value a line. @throws InputError, SluiceError 413 */
export function itemsOf(bytes: Uint8Array, contentType: string | null): unknown[] {
  const value = /ndjson|jsonl|json-seq/.test(contentType ?? '') ? linesOf(bytes) : parseJson(bytes)
  if (!Array.isArray(value)) {
    const detail = 'must be an array, or with the content type application/x-ndjson a value a line'
    throw new InputError(422, 'bad-body', [{ pointer: '', detail }])
  }
  if (value.length <= mostItems) return value
  throw new SluiceError(
    413,
    'too-many-items',
    `The batch has ${value.length} items: ${mostItems} are the limit`,
  )
}

function linesOf(bytes: Uint8Array): unknown[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.filter((line) => line.trim() !== '').map(lineOf)
}

function lineOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return unreadable
  }
}
