import type { Outcome } from '#capture'
import { rpcError } from '../wire/codes.ts'
import type { Answer, RawJson, RpcError } from '../wire/message.ts'

/** Why a server did not answer. The specification wants codes of one's own outside of the range that it reserves. */
export const failureCode = {
  /** There is no connection, and the message says when the next try is. */
  unavailable: -31_001,
  timeout: -31_002,
  /** The connection ended before the answer. */
  gone: -31_003,
  /** The answer was larger than the call allows. */
  tooLarge: -31_004,
  /** What came is not the protocol. */
  nonsense: -31_005,
  cancelled: -31_006,
  /** The HTTP server refused the request with that status. */
  refused: -31_007,
} as const

export type FailureKind = keyof typeof failureCode

/** A call that got no answer of the server. */
export type Failure = {
  kind: FailureKind
  message: string
  /** HTTP status, where there was one. */
  status?: number
  data?: RawJson
  /** The server knows the session no more: the request was not done. */
  sessionLost?: boolean
  /** Nothing of it reached the server. */
  unsent?: boolean
}

export function failureAnswer({ kind, message, data }: Failure): Answer {
  return { error: { code: failureCode[kind], message, ...(data === undefined ? {} : { data }) } }
}

/** A result over the limit that nothing can be left out of. `uri`: where it can be read in pieces. */
export function wholeTooLarge(bytes: number, limit: number, uri?: string): RpcError {
  const where = uri === undefined ? '' : `: the whole is at ${uri}, to be read in pieces`
  const message = `The result has ${bytes} bytes, more than the limit of ${limit}${where}`
  return rpcError(failureCode.tooLarge, message, { bytes, limit, ...(uri === undefined ? {} : { uri }) })
}

export const outcomeOf: Record<FailureKind, Outcome> = {
  unavailable: 'upstream_unreachable',
  timeout: 'upstream_timeout',
  gone: 'upstream_gone',
  tooLarge: 'upstream_error',
  nonsense: 'upstream_error',
  cancelled: 'client_gone',
  refused: 'upstream_error',
}

/** There is no connection to a server now. */
export class UpstreamDownError extends Error {
  override readonly name = 'UpstreamDownError'
  readonly reason: string
  /** ms since the epoch; null: not before somebody asks. */
  readonly nextTryAt: number | null

  constructor(server: string, reason: string, nextTryAt: number | null) {
    const next = nextTryAt === null ? '' : `; next try at ${new Date(nextTryAt).toISOString()}`
    super(`The MCP server ${server} is not available: ${reason}${next}`)
    this.reason = reason
    this.nextTryAt = nextTryAt
  }
}

/** A try to connect that failed, for a reason that an operator can read. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  /** Did it end on the probe for the modern era? Then a server of the legacy era may still be met. */
  readonly probing: boolean

  constructor(reason: string, probing = false) {
    super(reason)
    this.probing = probing
  }
}
