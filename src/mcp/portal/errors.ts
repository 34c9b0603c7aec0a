import { codes, rpcError } from '../wire/codes.ts'
import type { Answer, RpcError } from '../wire/message.ts'
import type { Client } from './portal.ts'

/**
 * Beside those of the specification, which wants codes of one's own outside of its range; `upstream/failure.ts` has
 * more.
 */
export const portalCodes = {
  /** It may be seen, and not called. */
  forbidden: -31_010,
  /** Nothing is known of what servers offer, as none could be reached yet. */
  unavailable: -31_001,
} as const

/** What a portal finds wrong; becomes the answer. */
export class PortalError extends Error {
  override readonly name = 'PortalError'
  readonly error: RpcError

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.error = rpcError(code, message, data)
  }
}

export function invalid(message: string, data?: unknown): PortalError {
  return new PortalError(codes.invalidParams, message, data)
}

/** A resource that is not there had a code of its own before 2026-07-28. */
export function noResource(client: Client, uri: string): PortalError {
  const code = client.era === 'modern' ? codes.invalidParams : -32_002
  return new PortalError(code, `Resource not found: ${uri.slice(0, 500)}`, { uri })
}

export function answerOf(error: PortalError): Answer {
  return { error: error.error }
}
