import type { Message, SessionRef, ToolUse, Usage } from '#capture'
import type { Skims } from './skim.ts'

/**
 * One wire format of model APIs, at the edge: where it keeps its credential, what its errors look like, and how
 * its bytes are read after the fact. Keyed by API shape; which vendor speaks it is data (`providers/`).
 *
 * No function here throws on what a client or an upstream sent: what cannot be read is null or empty.
 */
export type Dialect = {
  /** `anthropic`, `openai-chat`, `openai-responses`, `openai-embeddings`, `openai-models`, `gemini`. */
  name: string
  /** An error of the gateway in this dialect's shape, with the status it stands for. */
  errorBody(error: { status: number; code: string; message: string }): unknown
  /** Reads a request body that is already decompressed; `path` carries Gemini's model and method. */
  readRequest(body: Uint8Array, path: string): RequestReading
  /** For a stream of which only model, counts, errors and end are wanted; without it all frames are. */
  skims?: Skims
  /** A reader to push the response into, decompressed, in any chunking. */
  responseReader(shape: { streamed: boolean; status: number }): ResponseReader
}

export type RequestReading = {
  model: string | null
  /** Does the request ask for a stream? */
  stream: boolean
  history: Message[]
  /** Where the body itself names the thread, as Claude Code's `metadata.user_id` does. */
  session: SessionRef | null
}

export type ResponseReader = {
  push(chunk: Uint8Array): void
  /** What was understood up to now; called at the end, or when the stream broke. */
  result(): ResponseReading
}

export type ResponseReading = {
  model: string | null
  usage: Usage | null
  /** The type of an error in the body or, after a 200, in the stream. */
  error: string | null
  reply: Message | null
  /** In the reply, as far as they have ids. */
  tool_uses: ToolUse[]
  stop_reason: string | null
}
