import { z } from 'zod'

/**
 * One request and its response, on whatever protocol, as it travels from the process that saw it to the store.
 * What is known at its start is the `ExchangeOpen`; what is known at its end the `ExchangeEnd`; between them
 * the bytes, exactly as the client sent and received them.
 */

/** What of an exchange may become durable: everything, or tokens, cost and times only. `redacted` comes between. */
export const captureMode = z.enum(['full', 'metadata'])
export type CaptureMode = z.infer<typeof captureMode>

/**
 * How an exchange ended.
 * - `completed`: the upstream's answer reached the client whole, whatever its status below 400
 * - `upstream_error`: the upstream answered with an error, by status or in band after a 200
 * - `upstream_gone`: the upstream's connection died before its answer was whole
 * - `upstream_timeout`: the upstream was silent for too long
 * - `upstream_unreachable`: no connection to the upstream (DNS, refused, TLS)
 * - `client_gone`: the client hung up before the end
 * - `rejected`: the gateway refused it and asked no upstream
 * - `gateway_crashed`: the gateway died; what had passed until 100 ms before is here
 * - `damaged`: the spool file was corrupted; what could be read is here
 */
export const outcome = z.enum([
  'completed',
  'upstream_error',
  'upstream_gone',
  'upstream_timeout',
  'upstream_unreachable',
  'client_gone',
  'rejected',
  'gateway_crashed',
  'damaged',
])
export type Outcome = z.infer<typeof outcome>

/** Header names are lower case; credentials were removed before this existed. */
const headers = z.array(z.tuple([z.string(), z.string()]))

/** Token counts; null where the provider did not say. `input` excludes what was read from or written to a cache. */
export const usage = z.object({
  input: z.int().nonnegative().nullable(),
  output: z.int().nonnegative().nullable(),
  cache_read: z.int().nonnegative().nullable(),
  cache_write: z.int().nonnegative().nullable(),
  /** The part of `cache_write` with a one-hour lifetime, which some providers price higher. */
  cache_write_1h: z.int().nonnegative().nullable(),
  /** Part of `output`. */
  reasoning: z.int().nonnegative().nullable(),
  /** False where the stream broke before the final count: then these are the last counts seen. */
  final: z.boolean(),
})
export type Usage = z.infer<typeof usage>

/** How its bytes travelled. `sse` is MCP's older transport of two connections; `stdio` lines of a child process. */
export const protocol = z.enum(['http', 'websocket', 'sse', 'stdio'])
export type Protocol = z.infer<typeof protocol>

/** What an MCP exchange is about, of its request: names, and nothing of what was said. */
export const mcpFacts = z.object({
  /** Between a client and the portal, or between the portal and a server. */
  hop: z.enum(['client', 'upstream']),
  /** The portal's name on a client's hop, the server's on an upstream one; null: the portal of everything. */
  peer: z.string().nullable(),
  /** The JSON-RPC method, as in `tools/call`; null where there is none: a stream that only listens. */
  rpc: z.string().nullable(),
  /** The tool, prompt or resource, as the peer knows it. */
  name: z.string().nullable(),
  /** Of MCP: its id, and nothing by which it could be taken over. */
  session: z.string().nullable(),
  /** The agent's own session, and its agent within, where the client tells them. */
  client_session: z.string().nullable().optional(),
  client_agent: z.string().nullable().optional(),
  /** The model's id of the tool use that caused it. */
  tool_use: z.string().nullable(),
})
export type McpFacts = z.infer<typeof mcpFacts>

export const exchangeOpen = z.object({
  v: z.literal(1),
  id: z.uuid(),
  /** ms since the epoch, with fractions. */
  started_at: z.number(),
  protocol,
  method: z.string(),
  /** Path and query as the client sent them, credentials removed. */
  path: z.string(),
  /** Names the reader of the bytes, as in `anthropic`, `openai-chat`; null where there is none. */
  dialect: z.string().nullable(),
  provider: z.string().nullable(),
  tenant: z.string(),
  key_id: z.string().nullable(),
  tags: z.array(z.string()),
  mode: captureMode,
  request_headers: headers,
  /** The exchange that this one replays. */
  replay_of: z.uuid().optional(),
  /** The exchange that caused this one. */
  parent: z.uuid().optional(),
  /** Set where the dialect is `mcp`. */
  mcp: mcpFacts.optional(),
})
export type ExchangeOpen = z.infer<typeof exchangeOpen>

/** What only the gateway can know in `metadata` mode, where the bytes never leave its memory. */
export const metered = z.object({
  model_asked: z.string().nullable(),
  model_served: z.string().nullable(),
  streamed: z.boolean(),
  usage: usage.nullable(),
  session: z.string().nullable(),
  agent: z.string().nullable(),
  parent_agent: z.string().nullable(),
  client: z.string().nullable(),
})
export type Metered = z.infer<typeof metered>

/** One try of a call that the gateway itself sent to a provider of its choice. */
export const attempt = z.object({
  provider: z.string(),
  /** Null: the request named none. */
  model: z.string().nullable(),
  /** Null: no answer came. */
  status: z.int().nullable(),
  /** A word or two: `HTTP 529`, `idle-timeout`, `breaker-open`; null where it served. */
  error: z.string().nullable(),
  ms: z.int().nonnegative(),
})
export type ExchangeAttempt = z.infer<typeof attempt>

/** What the gateway decided, where a rule said where a call goes. */
export const routed = z.object({
  /** Name of the rule; null for a replay at another provider. */
  route: z.string().nullable(),
  /** Who served, by what model; null: nobody did. */
  provider: z.string().nullable(),
  model: z.string().nullable(),
  attempts: z.array(attempt),
  /** What a translation could not carry. */
  warnings: z.array(z.string()),
  /** As the upstream told it, where its answer was translated: the client's dialect may not say it. */
  usage: usage.nullable().optional(),
  /** It climbed a ladder: its tries are exchanges of their own, which have the tokens and the cost. */
  climb: z.uuid().optional(),
})
export type Routed = z.infer<typeof routed>

export const exchangeEnd = z.object({
  /** Position in the spool's count of accepted exchanges, from 1, without gaps. */
  seq: z.int().positive(),
  outcome,
  /** HTTP status that the client saw; null where none was sent. */
  status: z.int().nullable(),
  /** A short word or phrase for the reason, never content: `ECONNRESET`, `overloaded_error`, `body-too-large`. */
  error: z.string().nullable(),
  /** When the first byte of the response body went to the client. */
  first_byte_at: z.number().nullable(),
  ended_at: z.number(),
  response_headers: headers,
  request_bytes: z.int().nonnegative(),
  response_bytes: z.int().nonnegative(),
  /** Hex; set by the gateway in `metadata` mode, otherwise computed where the bytes are stored. */
  request_sha256: z.string().optional(),
  response_sha256: z.string().optional(),
  metered: metered.optional(),
  routed: routed.optional(),
  /** What the gateway counted against budgets, in micro-units; absent where no budget was about the call. */
  charged_micros: z.int().nonnegative().optional(),
  /**
   * What the response cache had to do with it: `hit` (a stored answer) and `shared` (that of an equal request under
   * way) asked no upstream and cost nothing; `miss` looked and asked. Absent where the cache had no part.
   */
  cache: z.enum(['hit', 'shared', 'miss']).optional(),
})
export type ExchangeEnd = z.infer<typeof exchangeEnd>

/** An exchange read back whole from its frames. */
export type RecordedExchange = {
  open: ExchangeOpen
  end: ExchangeEnd
  request: Uint8Array
  response: Uint8Array
}
