/**
 * What is inside: JSON-RPC messages whose payloads stay the text that their sender wrote, so that fields, types and
 * numbers that we do not know pass untouched. Each edge frames them for its own transport and era.
 */

export type Id = string | number

/** The text of one JSON value, as its sender wrote it. */
export type RawJson = string

/**
 * - `legacy`: revisions up to 2025-11-25: `initialize`, sessions, a GET stream
 * - `modern`: 2026-07-28: each request stands alone, `server/discover`, `subscriptions/listen`
 */
export type Era = 'legacy' | 'modern'

export type RequestMessage = { kind: 'request'; id: Id; method: string; params: RawJson }
export type NotificationMessage = { kind: 'notification'; method: string; params: RawJson }
/** `id` is null in the error about a message that could not be read. */
export type ResponseMessage = { kind: 'response'; id: Id | null; answer: Answer }
export type Message = RequestMessage | NotificationMessage | ResponseMessage

/** What a request comes to: a JSON-RPC result or error. */
export type Answer = { result: RawJson } | { error: RpcError }

export type RpcError = { code: number; message: string; data?: RawJson }
