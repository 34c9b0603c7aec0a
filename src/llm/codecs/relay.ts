import { type SseEvent, sseParser } from '#lib/sse'
import { type Json, object, parseJson } from '../dialects/json.ts'
import type { Codec, Context } from './codec.ts'
import { readError, readErrorBody } from './errors.ts'
import type { StreamEvent } from './events.ts'
import { freeText } from './free-text.ts'
import type { ModelError } from './model.ts'
import { streamAnswer } from './whole.ts'

/** A streamed answer on its way from the upstream's dialect into the client's. */
export type Relay = {
  /** Takes bytes of the upstream in any chunking; gives what the client may see now, or null for nothing yet. */
  push(chunk: Uint8Array): Uint8Array | null
  /**
   * The upstream's stream is over, or broke off by `failure`. Gives the last bytes for the client: its dialect's
   * end, or its error event where the upstream's end is missing.
   */
  end(failure?: ModelError): Uint8Array | null
  warnings(): string[]
}

const encoder = new TextEncoder()
const cut: ModelError = {
  status: 502,
  code: 'upstream-gone',
  message: 'The provider broke off in the middle of its answer',
}

export function relay(from: Codec, to: Codec, context: Context): Relay {
  const writer = from.streamWriter(context)
  const reader = to.streamReader(emit, context)
  const sse = sseParser(onEvent)
  let out = ''
  let over = false
  /** Bytes of an answer that is no stream, though one was asked for. */
  let plain: Uint8Array[] | null = null
  let started = false
  /** Does the next chunk begin a line? */
  let fresh = true

  /** A call of a function that has no arguments yet. */
  let bare = false

  /** Free text inside JSON: it can be taken out when it is whole. */
  let wrapped: string | null = null

  function emit(event: StreamEvent): void {
    if (wrapped !== null && event.type === 'delta') {
      wrapped += event.text
      return
    }
    if (wrapped !== null && event.type === 'close') {
      const text = freeText(wrapped)
      wrapped = null
      write({ type: 'delta', text })
    }
    if (event.type === 'open' && event.block.kind === 'call' && event.block.wrapped) wrapped = ''
    write(event)
  }

  function write(event: StreamEvent): void {
    if (over) return
    if (event.type === 'open') bare = event.block.kind === 'call' && !event.block.custom
    // Clients parse the arguments: without any they are an empty object, which not every provider says.
    if (event.type === 'close' && bare) out += writer.write({ type: 'delta', text: '{}' })
    if (event.type === 'delta' || event.type === 'close') bare = false
    out += writer.write(event)
    over = event.type === 'error' || event.type === 'end'
  }

  function onEvent({ data }: SseEvent): void {
    if (over) return
    if (data.trimEnd() === '[DONE]') {
      finish()
      return
    }
    const event = object(parseJson(data))
    if (event !== null) reader.event(event)
    else emit({ type: 'error', error: { ...cut, code: 'upstream-malformed', message: malformed } })
  }

  function finish(failure: ModelError = cut): void {
    if (reader.end()) emit({ type: 'end' })
    else emit({ type: 'error', error: failure })
  }

  function finishPlain(chunks: Uint8Array[], failure: ModelError | undefined): void {
    const body: Json | null = failure === undefined ? object(parseJson(decode(chunks))) : null
    if (body === null) emit({ type: 'error', error: failure ?? readErrorBody(decode(chunks), 502) })
    else if (object(body.error) !== null) emit({ type: 'error', error: readError(body, null) })
    else streamAnswer(to.readAnswer(body, context), emit)
  }

  function taken(): Uint8Array | null {
    if (out === '') return null
    const bytes = encoder.encode(out)
    out = ''
    return bytes
  }

  return {
    push(chunk) {
      if (!started) {
        const first = chunk.find((byte) => byte > 0x20)
        started = first !== undefined
        if (first === 0x7b || first === 0x5b) plain = []
      }
      if (plain === null) sse.push(chunk)
      else plain.push(chunk)
      // Comments keep the connection alive while the model is silent: the client needs a sign too.
      if (out === '' && plain === null && fresh && isComment(chunk)) emit({ type: 'ping' })
      fresh = chunk.at(-1) === newline
      return taken()
    },
    end(failure) {
      if (plain !== null) finishPlain(plain, failure)
      else {
        if (failure === undefined) sse.end()
        if (!over) finish(failure)
      }
      return taken()
    },
    warnings: context.warnings,
  }
}

const newline = 0x0a

/** A whole comment, or several, as servers send them. */
function isComment(chunk: Uint8Array): boolean {
  return chunk[0] === 0x3a && chunk.at(-1) === newline
}

const malformed = 'The provider sent an event that is no JSON object'

function decode(chunks: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks))
}
