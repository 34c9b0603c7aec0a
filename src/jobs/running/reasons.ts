/** Why a running job's signal was aborted: names that a handler may look at. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
}

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** Its worker stops; another one will begin anew. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

/** Too many workers died over it: it is taken for the reason. */
export class WorkerDiedError extends Error {
  override readonly name = 'WorkerDiedError'
}

/** Another worker has it. */
export class LostError extends Error {
  override readonly name = 'LostError'
}
