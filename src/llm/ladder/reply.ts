import { sseParser } from '#lib/sse'
import { gather } from '../adapters/gather.ts'
import { codecOf } from '../adapters/wire.ts'
import type { ChatDialect, ModelAnswer } from '../codecs/model.ts'
import { object, parseJson } from '../dialects/json.ts'

/** What a model answered on a rung, in the client's dialect, and what that means. */
export type Reply = {
  model: string
  exchange: string | null
  ms: number
  costMicros: number | null
  status: number
  headers: Headers
  bytes: Uint8Array<ArrayBuffer>
  /** Null where the answer is an error, or cannot be read. */
  answer: ModelAnswer | null
}

export function textOf({ parts }: ModelAnswer): string {
  return parts
    .flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : []))
    .join('')
}

/** Null where it broke off, or tells of an error. */
export function readAnswer(dialect: ChatDialect, bytes: Uint8Array, isStream: boolean): ModelAnswer | null {
  const { codec, context } = codecOf(dialect)
  if (!isStream) {
    const body = object(parseJson(new TextDecoder().decode(bytes)))
    return body === null || object(body.error) !== null ? null : codec.readAnswer(body, context)
  }
  const gathered = gather('')
  const reader = codec.streamReader(gathered.take, context)
  const sse = sseParser(({ data }) => {
    const event = object(parseJson(data))
    if (event !== null) reader.event(event)
  })
  sse.push(bytes)
  sse.end()
  return reader.end() && gathered.failure() === null ? gathered.answer() : null
}
