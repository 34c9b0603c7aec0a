import type { McpFacts, RecordedExchange, Usage } from './exchange.ts'

/**
 * What the bytes of an exchange mean. Capture stores it and does not know any dialect: the reader is given to
 * it by the process that wires both together.
 */
export type Interpretation = {
  model_asked: string | null
  model_served: string | null
  streamed: boolean
  usage: Usage | null
  /** In micro-units of `currency`; null where the model or a price is unknown. */
  cost: { micros: number; currency: string; price_version: string } | null
  /** An error that the upstream reported in its body or stream: its type, as in `overloaded_error`. */
  error: string | null
  session: SessionRef | null
  /** The messages that the client sent, oldest first: the whole history as it was resent. */
  history: Message[]
  /** What the model answered; null where nothing readable came. */
  reply: Message | null
  /** The tool uses that the answer asked for, as far as they have ids. @default none */
  tool_uses?: readonly ToolUse[]
  /** What could not be read, for the record. @default none */
  warnings?: readonly string[]
  /** Of an MCP exchange: what its bytes say and its edge did not. @default nothing */
  mcp?: Partial<McpFacts>
}

export type ToolUse = { id: string; name: string | null }

/** The client's own name for the thread, from its headers or body. */
export type SessionRef = {
  /** `claude-code`, `codex`, … */
  client: string
  session: string
  agent: string | null
  parent_agent: string | null
}

export type Message = {
  role: 'user' | 'assistant' | 'system' | 'tool'
  /** Readable text for people and search; tool calls and results as text, binary parts as `[image]`. */
  text: string
  /**
   * Names the message's meaning: equal for the reply as it was read from a stream and for the same message as
   * the client resends it next turn. Hex.
   */
  digest: string
}

/** Never throws: what cannot be read is null or empty. */
export type Interpret = (exchange: RecordedExchange) => Interpretation

/** The reader of these dialects, by their names, and of all others. */
export function interpretBy(readers: Readonly<Record<string, Interpret>>, others: Interpret): Interpret {
  return (exchange) => (readers[exchange.open.dialect ?? ''] ?? others)(exchange)
}
