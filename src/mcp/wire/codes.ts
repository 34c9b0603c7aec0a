import type { RawJson, RpcError } from './message.ts'

/** JSON-RPC's own codes, and those of revision 2026-07-28. */
export const codes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedVersion: -32022,
} as const

export function rpcError(code: number, message: string, data?: unknown): RpcError {
  return { code, message, ...(data === undefined ? {} : { data: JSON.stringify(data) satisfies RawJson }) }
}
