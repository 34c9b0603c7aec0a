import { codes, rpcError } from './codes.ts'
import type { RpcError } from './message.ts'

/** Revisions in which each request says all about itself. Newest first, as below. */
export const modernVersions = ['2026-07-28'] as const

/** Revisions with `initialize` and sessions. The last had another transport: HTTP with SSE. */
export const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

export const latestLegacy = legacyVersions[0]

export function isModern(version: string): boolean {
  return modernVersions.some((known) => known === version)
}

export function isLegacy(version: string): boolean {
  return legacyVersions.some((known) => known === version)
}

/** The only revision that has batches of messages. */
export function hasBatches(version: string): boolean {
  return version === '2025-03-26'
}

/** Since then a stream begins with an event that only carries an id; clients of before stumble over it. */
export function hasPriming(version: string): boolean {
  return version >= '2025-11-25'
}

export function unsupportedVersion(requested: string): RpcError {
  return rpcError(codes.unsupportedVersion, 'Unsupported protocol version', {
    supported: [...modernVersions, ...legacyVersions],
    requested,
  })
}
