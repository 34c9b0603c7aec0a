import { type Json, object, parseJson } from '../../dialects/json.ts'

/** A request's body, read once. */
export type Sent = {
  json: Json
  bytes: Uint8Array
  /** 16 hex digits of the body's hash, for ids. */
  seed: string
}

/** Null where the body is no JSON object. */
export function readSent(bytes: Uint8Array): Sent | null {
  const text = new TextDecoder().decode(bytes)
  const json = object(parseJson(text))
  return json && { json, bytes, seed: Bun.hash.wyhash(bytes).toString(16).padStart(16, '0') }
}
