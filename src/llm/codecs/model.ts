import type { Usage } from '#capture'
import type { Json } from '../dialects/json.ts'

/**
 * The neutral model: what a request, an answer and a stream mean, whatever the dialect. Codecs read a dialect
 * into it and write a dialect from it; nothing outside this folder sees it.
 *
 * A **turn** is one message of the conversation; a **part** is a piece of a turn; a **seal** is a provider's
 * signature on its thinking, which only that provider can read; an **answer** is what the model said at once.
 */

/** Dialects that carry a conversation. */
export type ChatDialect = 'anthropic' | 'openai-chat' | 'openai-responses' | 'gemini'

/** Where the bytes of an image or a document are. `file` is an id that only its own provider knows. */
export type Source =
  | { kind: 'base64'; mime: string; data: string }
  | { kind: 'url'; mime: string | null; url: string }
  | { kind: 'text'; text: string }
  | { kind: 'file'; id: string }

/** A mark up to which the provider should cache the prompt. */
export type CacheMark = { ttl: '5m' | '1h' | null }

/** `data` is opaque; `redacted` where the thinking itself is in it. */
export type Seal = { by: ChatDialect; data: string; redacted: boolean }

export type Text = { kind: 'text'; text: string; cache?: CacheMark }
export type Image = { kind: 'image'; source: Source; detail?: string; cache?: CacheMark }
export type Doc = { kind: 'document'; source: Source; name: string | null; cache?: CacheMark }
export type Sound = { kind: 'audio'; mime: string; data: string }
/** Without text, and sealed by Gemini, it is the signature of the part that follows. */
export type Thinking = { kind: 'thinking'; text: string; seal: Seal | null }
/** `input` is JSON text; for a `custom` tool, plain text. */
export type Call = {
  kind: 'call'
  id: string
  name: string
  input: string
  custom?: boolean
  cache?: CacheMark
}
export type Result = {
  kind: 'result'
  id: string
  /** Null where the dialect does not say it: then the call with this id does. */
  name: string | null
  content: (Text | Image | Doc)[]
  error: boolean
  cache?: CacheMark
}
export type Refusal = { kind: 'refusal'; text: string }
export type Part = Text | Image | Doc | Sound | Thinking | Call | Result | Refusal

/** Results of tools are parts of a `user` turn. */
export type Turn = { role: 'system' | 'developer' | 'user' | 'assistant'; parts: Part[] }

export type Tool = {
  name: string
  description: string | null
  /** A JSON schema of type object; null for a `custom` tool, which takes text. */
  schema: Json | null
  strict: boolean | null
  cache?: CacheMark
}

export type ToolChoice =
  | { kind: 'auto' | 'any' | 'none' }
  | { kind: 'tool'; name: string }
  /** One of these, which the others of `tools` only stand beside. */
  | { kind: 'among'; names: string[]; must: boolean }

export type Format =
  | { kind: 'json' }
  | { kind: 'schema'; name: string; description: string | null; schema: Json; strict: boolean | null }

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** How much to think. A dialect says one of both; rules make the other of it. */
export type Reasoning = {
  effort: Effort | null
  /** Tokens; null where not said. */
  budget: number | null
  /** Should the client see the thinking, or a summary of it? */
  visible: boolean
}

export type ModelRequest = {
  model: string
  stream: boolean
  turns: Turn[]
  tools: Tool[]
  toolChoice: ToolChoice | null
  /** May the model call several tools at once? Null where not said. */
  parallel: boolean | null
  maxTokens: number | null
  temperature: number | null
  topP: number | null
  topK: number | null
  stop: string[]
  seed: number | null
  frequencyPenalty: number | null
  presencePenalty: number | null
  reasoning: Reasoning | null
  format: Format | null
  user: string | null
  /** Fields that both of OpenAI's dialects have, under the name of the Responses API: `store`, `metadata`, … */
  openai: Json
}

/** Why the answer ended. */
export type Stop = 'end' | 'length' | 'sequence' | 'tool' | 'refusal' | 'pause' | 'context' | 'malformed'

export type Counts = Omit<Usage, 'final'>

export type ModelAnswer = {
  id: string
  model: string
  parts: Part[]
  stop: Stop
  /** The stop sequence that was met, where the provider tells. */
  sequence: string | null
  usage: Counts | null
}

export type ModelError = { status: number; code: string; message: string }
