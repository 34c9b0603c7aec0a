import type { Dialect } from '../dialects/dialect.ts'

/** A request as the other dialect has it. */
export type Translation = {
  path: string
  body: Uint8Array
  headers: Record<string, string>
  warnings: string[]
}

/** One call's way from the client's dialect to the upstream's, and back. */
export type Translator = {
  /** @throws SluiceError 400, 422 in words for what the target cannot carry */
  request(body: Uint8Array, path: string, headers: Headers, target: { model: string | null }): Translation
  /** Errors too. */
  response(body: Uint8Array, status: number): { body: Uint8Array; contentType: string; warnings: string[] }
  /** From SSE to SSE. */
  stream(): TransformStream<Uint8Array, Uint8Array> & { warnings(): string[] }
}

/** Null where there is no such way. */
export type Translate = (from: Dialect['name'], to: Dialect['name']) => Translator | null
