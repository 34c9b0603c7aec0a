import { APIError, APIUserAbortError } from '@anthropic-ai/sdk'
import { errorText, SluiceError } from '#lib/errors'

/** A question that got no answer. `status` is the provider's, or 502 where none came. */
export class AskError extends SluiceError {
  override readonly name = 'AskError'
  /** The record of the try; null where there is none. */
  readonly exchange: string | null
  /** Is it the machinery, which may work in a moment, and not the question or the set-up? */
  readonly transient: boolean

  constructor(
    status: number,
    message: string,
    {
      exchange = null,
      headers,
      cause,
    }: { exchange?: string | null; headers?: Headers; cause?: unknown } = {},
  ) {
    const after = headers?.get('retry-after') ?? null
    super(status, 'model-failed', message, { cause, headers: after === null ? {} : { 'retry-after': after } })
    this.exchange = exchange
    this.transient = status === 408 || status === 409 || status === 429 || status >= 500
  }
}

/** Whatever asking threw, as an AskError; what Sluice refuses itself stays as it is. */
export function askErrorOf(error: unknown, who: string): SluiceError {
  if (error instanceof SluiceError) return error
  if (error instanceof APIUserAbortError)
    return new AskError(499, `asking ${who}: the asker left`, { cause: error })
  if (error instanceof APIError) {
    const { status, headers } = error
    return new AskError(status ?? 502, `asking ${who}: ${errorText(error, 500)}`, {
      cause: error,
      ...(headers === undefined ? {} : { headers, exchange: headers.get('sluice-exchange') }),
    })
  }
  const left = error instanceof Error && error.name === 'AbortError'
  return new AskError(left ? 499 : 502, `asking ${who}: ${left ? 'the asker left' : errorText(error, 500)}`, {
    cause: error,
  })
}
