import type { Principal } from './principal.ts'

/** A principal, and whose credential the upstream should see. */
export type Caller = {
  principal: Principal
  /** True: the client's own provider credential goes through. False: it is replaced by the gateway's provider key. */
  passThrough: boolean
}

/**
 * Decides in memory, so that no request waits for the database. A Sluice key is taken from `sluice-key`,
 * `x-api-key`, `Authorization: Bearer`, `x-goog-api-key` or the query's `key`, in this order.
 * @throws SluiceError 401 `unauthenticated` or `key-revoked`; 403 `forbidden` where the scope is missing
 */
export type Authenticate = (headers: Headers, query: URLSearchParams | null) => Caller
