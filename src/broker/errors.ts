import { errorText, SluiceError } from '#lib/errors'

/** The queue engine did not take the call in time. The call may be repeated: a job's id makes that harmless. */
export class BrokerDownError extends SluiceError {
  override readonly name = 'BrokerDownError'

  constructor(attempted: string, cause: unknown) {
    super(503, 'queue-unavailable', `${attempted}: ${errorText(cause, 300)}`, {
      cause,
      headers: { 'retry-after': '1' },
    })
  }
}

/** Thrown by a handler that knows no further try can help: the job fails for good, at once. */
export class FinalJobError extends Error {
  override readonly name = 'FinalJobError'
}
