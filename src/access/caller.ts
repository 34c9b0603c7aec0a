import type { Principal } from './principal.ts'

/** A principal, and whose credential the upstream should see. */
export type Caller = {
  principal: Principal
  /** True: the client's own provider credential goes through. False: it is replaced by the gateway's provider key. */
  passThrough: boolean
}

/**
 * Decides in memory, so that no request waits for the database. A Sluice key is taken from `sluice-key`,
 * `x-api-key`, `Authorization: Bearer`, `x-goog-api-key`, `api-key` (Azure), the WebSocket protocol
 * `openai-insecure-api-key.…` (browsers) or the query's `key`, in this order.
 * The client's own credential goes through where it stands beside `sluice-key`, or, without any Sluice key, where
 * PASS_THROUGH_KEYS allows it; there no credential at all will do too.
 * @throws SluiceError 401 `unauthenticated`, `key-unknown`, `key-revoked`, `key-expired`; 403 `forbidden` where the
 *   key lacks the scope `call`; 503 `access-unavailable` where no keys could be loaded yet
 */
export type Authenticate = (headers: Headers, query: URLSearchParams | null) => Caller
