/**
 * An error that a caller may be told about. One place per kind of route turns it into a response: RFC 9457
 * problem JSON on our own API, the dialect's own shape on a proxied route.
 *
 * The message says what was attempted and what was found, and, where there is one, the limit.
 */
export class SluiceError extends Error {
  override readonly name: string = 'SluiceError'
  readonly status: number
  /** A stable kebab-case word for programs, as in `unknown-provider`. */
  readonly code: string
  readonly headers: Record<string, string>

  constructor(
    status: number,
    code: string,
    message: string,
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = status
    this.code = code
    this.headers = options.headers ?? {}
  }
}

/** Something that the operator must mend before the process can start: printed as one line, exit code 1. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

/** The text of whatever was thrown, safe for logs and for databases: no NUL, no lone surrogate, bounded. */
export function errorText(error: unknown, limit = 2_000): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  return cleanText(text).slice(0, limit)
}

/** Text that Postgres `text` and `jsonb` accept: NUL dropped, lone surrogates replaced. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed()
}

/** Input that is not what it must be: 422, or 400 where it could not even be read. */
export class InputError extends SluiceError {
  /** What is wrong where, as JSON pointers (RFC 6901) into the body, or `?name` for the query. */
  readonly errors: readonly { pointer: string; detail: string }[]
  /** What else helps to mend it, as further members of the problem. */
  readonly help: Record<string, unknown>

  constructor(status: 400 | 422, code: string, errors: InputError['errors'], help: InputError['help'] = {}) {
    super(status, code, errors.map(({ pointer, detail }) => `${pointer || 'body'}: ${detail}`).join('; '))
    this.errors = errors
    this.help = help
  }
}
