/** What a failed transaction means for the exchanges in it. */
export type Failure =
  /** The database, or the way to it: try the whole batch later. */
  | 'unavailable'
  /** Lost a race with another worker, or a partition is missing: try again at once. */
  | 'contended'
  /** Something in the batch cannot be stored. */
  | 'poison'

/** SQLSTATE classes of what was sent: cardinality, data, integrity, program limits. */
const dataClasses = new Set(['21', '22', '23', '54'])
/** serialization, deadlock, unique key, no partition for a row, a partition that was just dropped */
const contendedStates = new Set(['40001', '40P01', '23505', '23514', '42P01'])

/** Of the driver: `CONNECTION_CLOSED`, `CONNECT_TIMEOUT`, `SASL_…`; of the system: `ECONNREFUSED`. */
const wayCodes = /^(CONNECT|SASL|AUTH|E[A-Z]+$)/

/** Anything that neither the database nor the way to it said is a fault in reading what was recorded. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code !== 'string') return 'poison'
  if (contendedStates.has(code)) return 'contended'
  if (wayCodes.test(code)) return 'unavailable'
  return /^[0-9A-Z]{5}$/.test(code) && !dataClasses.has(code.slice(0, 2)) ? 'unavailable' : 'poison'
}

/**
 * Is it this one exchange that cannot be stored? Not where other workers were in the way: one alone that still
 * breaks a rule of its table will always do so.
 */
export function isPoison(error: unknown): boolean {
  const failure = failureOf(error)
  return (
    failure === 'poison' || (failure === 'contended' && (error as { code: string }).code.startsWith('23'))
  )
}
