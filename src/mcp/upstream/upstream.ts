import type { Answer, Era, RawJson } from '../wire/message.ts'

/**
 * One MCP server behind the portal: one shared connection for each server and credential, which connects when first
 * needed, comes back by itself with jittered waits for ever, and stops when it was idle for long.
 */
export type Upstream = {
  state(): UpstreamState
  /**
   * What the server said of itself; connects where it must.
   * @throws UpstreamDownError, with the reason and the time of the next try
   */
  facts(signal: AbortSignal): Promise<ServerFacts>
  /**
   * Sends one request and awaits its answer. A server that dies, answers nonsense or not in time is an error answer
   * that says so, for the calls under way and for nobody else's.
   */
  request(call: UpstreamCall): Promise<Answer>
  notify(method: string, params: RawJson): void
  /** Tells of what the server says by itself, and of its state, until the function returned is called. */
  on(listener: (event: UpstreamEvent) => void): () => void
  /** Ends the connection and every process of it. */
  close(): Promise<void>
}

export type UpstreamState = {
  status: 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed'
  /** Why it is not ready, with the tail of a process's stderr. */
  reason: string | null
  /** ms since the epoch, while `waiting`. */
  next_try_at: number | null
  /** Tries since it was last ready. */
  tries: number
  pid: number | null
  connected_at: number | null
  /** Frames that were passed over: no messages, or for nobody. */
  ignored?: number
}

export type ServerFacts = {
  era: Era
  protocolVersion: string
  /** As the server wrote them. */
  capabilities: RawJson
  serverInfo: RawJson
  instructions: string | null
}

export type UpstreamCall = {
  method: string
  /** As the server knows things: names and URIs without the portal's prefix. */
  params: RawJson
  signal: AbortSignal
  timeoutMs: number
  /** Bytes of the answer above which the call fails, and it alone. */
  maxBytes: number
  /** The client's exchange that caused it; null for the portal's own, as in `tools/list`. */
  parent: string | null
  /** What the server says on this call's own account: progress, log messages. */
  onNotification(method: string, params: RawJson): void
  /** What the server asks back in the course of this call; absent: it is refused. */
  onRequest?(method: string, params: RawJson): Promise<Answer>
  /** The lowest level of log messages that the client asked for. */
  logLevel?: string | null
  /** Progress starts `timeoutMs` anew, but no call lasts longer than this. @default 10 times `timeoutMs` */
  maxTimeoutMs?: number
  /** Told the id of the exchange that records it; where it is sent again, of each: the last has the answer. */
  onExchange?(id: string): void
  /** Whose call it is, for the record. @default the server's tenant, or `default` where it has none */
  tenant?: string
  keyId?: string | null
  /** @default full */
  mode?: 'full' | 'metadata'
  /** The model's id of the tool use, where the client gave it. */
  toolUse?: string | null
  /** The client's own capabilities, which a server of the modern era is told. @default {} */
  capabilities?: RawJson
}

export type UpstreamEvent =
  | { kind: 'notification'; method: string; params: RawJson }
  | { kind: 'state'; state: UpstreamState }

/** What a connection depends on; a row of servers fits. */
export type UpstreamSpec = {
  id: string
  tenant: string | null
  name: string
  transport: 'stdio' | 'http' | 'sse' | 'ws'
  command: string | null
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string | null
  url: string | null
  headers: Readonly<Record<string, string>>
  /** A process that nobody used for so long is stopped; null: never. */
  idle_stop_ms: number | null
  /** Changes with whatever a connection depends on, credentials among it. */
  fingerprint: string
}

/** All servers of a gateway. */
export type Upstreams = {
  /** The shared connection of this server and credential. A changed spec ends the one before, with its processes. */
  get(spec: UpstreamSpec): Upstream
  states(): { id: string; name: string; state: UpstreamState }[]
  /** Processes that run, in each the server's own. */
  pids(): number[]
  close(): Promise<void>
}
