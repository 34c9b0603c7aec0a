import { InputError, SluiceError } from '#lib/errors'
import { type Exact, parseExactly } from '#lib/exact-json'
import { inexactNumbers, parseJsonExactly } from '#lib/input'
import { mostItems } from './limits.ts'

/**
 * The items of a batch: a JSON array, or with `application/x-ndjson` one value a line. In the place of one that cannot
 * be read, or not be kept as it is, stands its error, which is no reason to refuse the others.
 * @throws InputError, SluiceError 413
 */
export function itemsOf(bytes: Uint8Array, contentType: string | null): unknown[] {
  const value = /ndjson|jsonl|json-seq/.test(contentType ?? '') ? linesOf(bytes) : arrayOf(bytes)
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

function arrayOf(bytes: Uint8Array): unknown {
  const { value, inexact } = parseJsonExactly(bytes)
  if (inexact.length === 0 || !Array.isArray(value)) return value
  const errors = Map.groupBy(inexact, ({ pointer }) => Number(pointer.split('/')[1]))
  return value.map((item, index) => {
    const own = errors.get(index)
    return own === undefined
      ? item
      : inexactNumbers(own.map((one) => ({ ...one, pointer: inItem(one.pointer) })))
  })
}

/** From `/3/input/n` to `/input/n`. */
function inItem(pointer: string): string {
  return pointer.replace(/^\/\d+/, '')
}

function linesOf(bytes: Uint8Array): unknown[] {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.filter((line) => line.trim() !== '').map(lineOf)
}

function lineOf(line: string): unknown {
  try {
    return keptOf(parseExactly(line))
  } catch {
    return new InputError(400, 'bad-json', [
      { pointer: '', detail: 'must be JSON in UTF-8, one value a line' },
    ])
  }
}

function keptOf({ value, inexact }: Exact): unknown {
  return inexact.length === 0 ? value : inexactNumbers(inexact)
}
