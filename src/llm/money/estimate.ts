import type { Usage } from '#capture'
import type { AdmitCall, Candidate } from './money.ts'
import type { PriceBook } from './price-book.ts'

/**
 * What is reserved for a call, by rule:
 * - input: a token for each 3 bytes of the body (of ten times that where it is compressed), at most a
 *   million, or the model's context window where that is larger; all of it at the price of writing to the cache where the body asks for that;
 * - output: the largest limit that the body names, times the answers asked for; 4,096 where it names none.
 */
export const bytesPerToken = 3
export const outputUnnamed = 4_096
/** Windows grow by a header that lists do not know. */
const longestInput = 1_000_000
/** Compressed bodies are taken to unpack to so many times their size. */
const packedFactor = 10
/** Of a body that announces no length. */
const lengthUnnamed = 1024 * 1024

/** Tokens of an answer that tells no usage, by its bytes: most of a stream is its frames. */
export const answerBytesPerToken = { whole: 4, streamed: 60 } as const

export type Estimate = {
  /** Micro-units; null: there is no price. */
  micros: number | null
  usage: Usage
}

/** What the body says about its cost; read without parsing it, at 10 µs for 75 KB. */
export type BodyShape = { inputTokens: number; outputTokens: number; writes: 'none' | 'minutes' | 'hour' }

type Body = Pick<AdmitCall, 'body' | 'bodyBytes' | 'packed'>

export function inputTokensOf({ body, bodyBytes, packed }: Body): number {
  const bytes = (bodyBytes ?? body?.byteLength ?? lengthUnnamed) * (packed ? packedFactor : 1)
  return Math.ceil(bytes / bytesPerToken)
}

export function shapeOf(of: Body): BodyShape {
  const { body, packed } = of
  const inputTokens = inputTokensOf(of)
  if (body === null || packed) return { inputTokens, outputTokens: outputUnnamed, writes: 'none' }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const named = largest(
    text,
    '"max',
    /^"(?:max_tokens|max_completion_tokens|max_output_tokens|maxOutputTokens)"\s*:\s*(\d{1,9})/,
  )
  const answers = Math.max(
    largest(text, '"n"', /^"n"\s*:\s*(\d{1,4})/) ?? 1,
    largest(text, '"candidateCount"', /^"candidateCount"\s*:\s*(\d{1,4})/) ?? 1,
    1,
  )
  const caches = text.includes('"cache_control"')
  return {
    inputTokens,
    outputTokens: (named ?? outputUnnamed) * answers,
    writes: !caches ? 'none' : text.includes('"1h"') ? 'hour' : 'minutes',
  }
}

export function estimate(
  candidate: Candidate,
  { shape, at, book }: { shape: BodyShape; at: number; book: PriceBook },
): Estimate {
  const { provider, model } = candidate
  const window = model === null ? null : book.contextWindow(provider, model)
  const input = Math.min(shape.inputTokens, window === null ? Infinity : Math.max(window, longestInput))
  const output = /embedding|count/.test(candidate.dialect ?? '') ? 0 : shape.outputTokens
  const usage: Usage = {
    ...{ input, output, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0, final: false },
    ...(shape.writes === 'none' ? {} : { input: 0, cache_write: input }),
    ...(shape.writes === 'hour' ? { cache_write_1h: input } : {}),
  }
  return { micros: book.price({ provider, model, usage, at })?.micros ?? null, usage }
}

/** Does the provider bill such a request at all? What is read, listed, counted or uploaded is not a model's work. */
export function isBilled(method: string, path: string): boolean {
  return method === 'POST' && !unbilled.test(path)
}

const unbilled = /\/(count_tokens|input_tokens|cancel|files|uploads)(\/|\?|$)|:countTokens(\?|$)|^\/upload\//

/** The largest number under such a name, wherever it stands: one that a nested name hides would be too small. */
function largest(text: Buffer, start: string, pattern: RegExp): number | null {
  let found: number | null = null
  for (let at = text.indexOf(start); at !== -1; at = text.indexOf(start, at + start.length)) {
    const value = pattern.exec(text.toString('latin1', at, at + 64))?.[1]
    if (value !== undefined) found = Math.max(found ?? 0, Number(value))
  }
  return found
}
