import { errorText, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { codes, rpcError } from '../wire/codes.ts'
import { responseFrame } from '../wire/frame.ts'
import type { Id, RpcError } from '../wire/message.ts'

/** A request that is answered with an error of the gateway's own: an HTTP status, and a JSON-RPC error as its body. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly error: RpcError
  readonly headers: Record<string, string>

  constructor(status: number, error: RpcError, headers: Record<string, string> = {}) {
    super(error.message)
    this.status = status
    this.error = error
    this.headers = headers
  }
}

/** One that JSON-RPC has no code of its own for. `reason`: a stable word for programs. */
export function invalidRequest(status: number, reason: string, message: string): Refusal {
  return new Refusal(status, rpcError(codes.invalidRequest, message, { reason }))
}

/** Whatever was thrown, as what the client may be told. */
export function refusalOf(error: unknown, log: Logger): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof SluiceError) {
    const code = error.status >= 500 ? codes.internalError : codes.invalidRequest
    return new Refusal(error.status, rpcError(code, errorText(error), { reason: error.code }), error.headers)
  }
  log.error(
    { reason: errorText(error), stack: error instanceof Error ? error.stack?.slice(0, 2_000) : undefined },
    'MCP: a request failed',
  )
  return new Refusal(
    500,
    rpcError(codes.internalError, 'The gateway failed to answer; its log has the reason'),
  )
}

export function refusalResponse({ status, error, headers }: Refusal, id: Id | null = null): Response {
  const body = responseFrame(id, { error })
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/json' } })
}
