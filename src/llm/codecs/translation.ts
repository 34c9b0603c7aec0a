import type { ChatDialect } from './model.ts'
import type { Relay } from './relay.ts'

export type DialectName = ChatDialect | 'openai-embeddings' | 'openai-models'

/** What to send to the upstream instead of what the client sent. */
export type Translation = {
  /** Path and query at a provider of the target dialect, from `/v1…` on. */
  path: string
  body: Uint8Array
  /** To set, beside the provider's credential. */
  headers: Record<string, string>
  /** Names of the client's headers that mean nothing to the target: not to be forwarded. */
  drop: string[]
  /** What was lost, by the table in `rules.ts`: a line each, fit for a header. */
  warnings: string[]
}

export type Translator = {
  /**
   * Translates a request; `body` is decompressed, `path` is the client's with its query.
   * `target.model` replaces the client's model; null keeps it.
   * @throws SluiceError 400 in words for what the target cannot carry, and for what cannot be read.
   */
  request(body: Uint8Array, path: string, headers: Headers, target: { model: string | null }): Translation
  /**
   * Translates a whole answer, decompressed, errors too. `status` is the one for the client: the same, but for an
   * error that came with a 200. Where the client asked for a stream and got none, the body is that stream.
   * @throws SluiceError 502 where a good answer is no JSON object.
   */
  response(
    body: Uint8Array,
    status: number,
  ): { body: Uint8Array; contentType: string; status: number; warnings: string[] }
  /** The `content-type` of a streamed answer: Gemini's clients may ask for a JSON array in pieces. */
  streamType(): string
  /** SSE to SSE, push by push: for callers with their own loop. */
  relay(): Relay
  /**
   * The same as a stream. A source that ends without its dialect's end becomes an error event of the client's
   * dialect; one that fails fails this stream too, so such a caller uses `relay().end(failure)`.
   */
  stream(): TransformStream<Uint8Array, Uint8Array> & { warnings(): string[] }
}
