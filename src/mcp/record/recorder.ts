import type { Outcome } from '#capture'

/**
 * Puts every frame on the record, in both directions and on both hops, by the same spool as model calls. A hop is
 * one exchange: a client's request to the portal and what it was answered, or the portal's to a server.
 */
export type Recorder = {
  /** @throws SpoolFullError (503) where the disk is full and the operator chose `block` */
  begin(open: HopOpen): Hop
}

export type HopOpen = {
  /** @default a new one */
  id?: string
  hop: 'client' | 'upstream'
  /** The client's exchange that caused this one. */
  parent: string | null
  transport: 'http' | 'sse' | 'websocket' | 'stdio'
  /**
   * HTTP method and path, or as in `stdio` and `/servers/<name>`. Credentials among the headers and in the query, and
   * whatever looks like a capability behind `/mcp`, are left out of the record; of an upstream hop its whole path.
   */
  method: string
  path: string
  headers: readonly (readonly [string, string])[]
  tenant: string
  keyId: string | null
  mode: 'full' | 'metadata'
  tags: readonly string[]
  /** The server's name, on an upstream hop; the portal's, on a client's. */
  peer: string | null
  /** The JSON-RPC method, as in `tools/call`; null where there is none (a stream that only listens). */
  rpc: string | null
  /** The tool, prompt or resource, as the peer of this hop knows it. */
  name: string | null
  /** The MCP session's id; never what would let somebody take it over. */
  session: string | null
  /** The agent's own session and its agent within, as `identityOf` finds them. @default null */
  clientSession?: string | null
  clientAgent?: string | null
  /** The model's id of the tool use that this call is about, where the client gives it in `_meta`. */
  toolUse: string | null
}

export type Hop = {
  id: string
  /** Bytes of the request as they were sent; in a stream of frames one line each. Must not change afterwards. */
  request(bytes: Uint8Array | string): void
  response(bytes: Uint8Array | string): void
  /**
   * Durable when it returns (or its promise resolves): only then may the client see the end of its answer. Once;
   * later calls do nothing.
   * @throws SpoolFullError (a rejection) where the disk is full and the operator chose `block`
   */
  end(end: HopEnd): void | Promise<void>
}

export type HopEnd = {
  outcome: Outcome
  /** The HTTP status, where there is one. */
  status: number | null
  /** A word or two, never content. */
  error: string | null
  /** Of the response, where there are any. Credentials and sessions are left out of the record. */
  headers?: readonly (readonly [string, string])[]
}
