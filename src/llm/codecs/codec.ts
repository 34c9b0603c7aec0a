import type { Json } from '../dialects/json.ts'
import type { Emit, StreamEvent } from './events.ts'
import type { ChatDialect, ModelAnswer, ModelRequest } from './model.ts'
import type { Names } from './names.ts'
import type { Losses } from './rules.ts'

/** What a codec knows of the call beside the thing it translates. One for each call. */
export type Context = Losses & {
  from: ChatDialect
  to: ChatDialect
  names: Names
  /** Tools that the client gave as free-text ones, by its own name for them. */
  custom: Set<string>
  /** The client's request, for dialects whose answers repeat parts of it. */
  asked: Json
  /** `path` of the client's request, for what Gemini says there. */
  path: string
}

/** What goes to the upstream. */
export type Outgoing = { path: string; body: Json; headers: Record<string, string> }

/**
 * One dialect's codec. Readers of requests throw SluiceError 400 on what they must understand and cannot;
 * readers of answers and of streams never throw: what cannot be read is empty, as in `dialects/`.
 */
export type Codec = {
  readRequest(body: Json, context: Context): ModelRequest
  writeRequest(request: ModelRequest, context: Context): Outgoing
  readAnswer(body: Json, context: Context): ModelAnswer
  writeAnswer(answer: ModelAnswer, context: Context): Json
  streamReader(emit: Emit, context: Context): StreamReader
  streamWriter(context: Context): StreamWriter
}

export type StreamReader = {
  /** The JSON of one SSE event. */
  event(event: Json): void
  /** The stream said `[DONE]`, or is over. Emits what is still open. Returns false where the end is missing. */
  end(): boolean
}

/** Writes the text of the SSE events that say the same, if any. */
export type StreamWriter = { write(event: StreamEvent): string }
