import type { Principal } from '#access'
import type { Answer, Era, RawJson } from '../wire/message.ts'

/** Many MCP servers behind one door: what the edges ask, whichever transport and era their client speaks. */
export type Portal = {
  /**
   * Answers one request of a client. Never rejects: what goes wrong is a JSON-RPC error, or, for a tool that failed,
   * a result with `isError`.
   */
  request(call: ClientCall): Promise<Answer>
  /** A notification of the client, as in `notifications/roots/list_changed`. Cancellation goes by the call's signal. */
  notify(client: Client, method: string, params: RawJson): void
  /** Tells of changes that this client may see, within a second of them, until the function returned is called. */
  listen(client: Client, interest: Interest, tell: (change: Change) => void): () => void
  /** What an edge puts into the answer to `initialize` and `server/discover`. In memory: never waits for a server. */
  offer(client: Client): Offer
  /** Arguments of a tool, by its name here, that clients of the modern era repeat in `Mcp-Param-…` headers. */
  headerParams(client: Client, tool: string): { path: string[]; header: string }[]
  /** Ends every connection and process of every server. */
  close(): Promise<void>
}

/** The same for every client of an era: what each may see shows in the lists alone. */
export type Offer = {
  /** Always with `tools.listChanged`, even where there are no tools yet. */
  capabilities: RawJson
  serverInfo: RawJson
  /** Those of the servers, and which of them cannot be reached. */
  instructions: string | null
}

/** Who asks: made by an edge for each request, from its credential and its session or `_meta`. */
export type Client = {
  principal: Principal
  /** Name of the selection of servers; null: all that the principal may see. */
  portal: string | null
  era: Era
  protocolVersion: string
  /** The legacy session's id; null in the modern era. */
  session: string | null
  /** The client's `clientInfo` and `capabilities`; `{}` where it sent none. */
  info: RawJson
  capabilities: RawJson
  /** The lowest level of `notifications/message` that it asked for; null: none. */
  logLevel: string | null
}

export type ClientCall = {
  client: Client
  method: string
  params: RawJson
  /** Aborted when the client cancels or is gone. */
  signal: AbortSignal
  /** Id of the exchange that records the client's request: what it causes names it as `parent`. */
  exchange: string
  /** Sends a notification on this call's own stream: progress, log messages. */
  notify(method: string, params: RawJson): void
  /**
   * Asks the client back, on this call's own stream: `sampling/createMessage`, `elicitation/create`, `roots/list`.
   * An error answer where the client's era or capabilities do not allow it.
   */
  ask(method: string, params: RawJson): Promise<Answer>
}

export type Interest = {
  tools: boolean
  prompts: boolean
  resources: boolean
  /** URIs, as this portal names them. */
  resourceUris: readonly string[]
}

export type Change =
  | { kind: 'tools' | 'prompts' | 'resources' }
  /** `params` of `notifications/resources/updated`, with the URI as this portal names it. */
  | { kind: 'resource'; params: RawJson }
