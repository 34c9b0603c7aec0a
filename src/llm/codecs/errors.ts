import { dialectNamed } from '../dialects/dialects.ts'
import { type Json, object, objects, parseJson, word } from '../dialects/json.ts'
import type { ModelError } from './model.ts'
import { text } from './reading.ts'

/** Statuses of errors that a stream reports after a 200, where it says only a word. */
const statuses = new Map(
  Object.entries({
    invalid_request_error: 400,
    invalid_prompt: 400,
    authentication_error: 401,
    billing_error: 402,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    rate_limit_exceeded: 429,
    insufficient_quota: 429,
    timeout_error: 504,
    overloaded_error: 529,
  }),
)

/** Reads an error in whatever shape: the dialects' own, and those of the servers that speak them half. */
export function readError(body: unknown, status: number | null): ModelError {
  const first = Array.isArray(body) ? objects(body)[0] : object(body)
  const inner = object(first?.error) ?? first ?? {}
  const type = word(inner.code) ?? word(inner.status) ?? word(inner.type) ?? 'upstream-error'
  const message = word(inner.message) ?? word(first?.error) ?? word(first?.detail) ?? word(first?.message)
  const known =
    status ?? httpStatus(inner.code) ?? statuses.get(word(inner.type) ?? '') ?? statuses.get(type) ?? 500
  return {
    status: known,
    code: isTooLong(type, message ?? '') ? tooLong : type.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    message: message ?? `The provider answered with status ${known} and no words`,
  }
}

/** The body of an answer that is an error: JSON, or the page of a proxy on the way. */
export function readErrorBody(text: string, status: number): ModelError {
  const parsed = parseJson(text)
  if (parsed !== undefined && typeof parsed === 'object') return readError(parsed, status)
  const excerpt = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 500)
  return { status, code: 'upstream-error', message: excerpt || `The provider answered with status ${status}` }
}

/** Seconds after which the provider wants to be asked again, where it says so in the body, as Gemini does. */
export function retryDelay(body: Uint8Array): number | null {
  const error = object(object(parseJson(new TextDecoder().decode(body)))?.error)
  const info = objects(error?.details).find((one) => text(one['@type']).endsWith('google.rpc.RetryInfo'))
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text(info?.retryDelay))?.[1]
  return seconds === undefined ? null : Math.ceil(Number(seconds))
}

/** The error as the client's dialect says it; its SDK gives it the same status. */
export function writeError(error: ModelError, dialect: string): Json {
  const message =
    dialect === 'anthropic' && error.code === tooLong && !/prompt is too long/i.test(error.message)
      ? // Clients that compact their history by themselves look for these words.
        `prompt is too long: ${error.message}`
      : error.message
  return object(dialectNamed(dialect)?.errorBody({ ...error, message })) ?? { error: { message } }
}

const tooLong = 'context-length-exceeded'

function isTooLong(type: string, message: string): boolean {
  return (
    type === 'context_length_exceeded' ||
    /prompt is too long|maximum context length|context window|input token count .*exceeds/i.test(message)
  )
}

function httpStatus(code: unknown): number | null {
  return typeof code === 'number' && code >= 400 && code < 600 ? code : null
}
