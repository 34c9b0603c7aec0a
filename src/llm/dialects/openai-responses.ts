import type { Message } from '#capture'
import type { Dialect, RequestReading } from './dialect.ts'
import { openaiError } from './errors.ts'
import { type Json, object, objects, parseBody, readableBytes, word } from './json.ts'
import { collectHistory } from './message.ts'
import { openaiParts } from './openai-content.ts'
import { itemParts, itemRole } from './openai-responses-items.ts'
import { foldResponses } from './openai-responses-response.ts'
import { readClientMetadata } from './openai-responses-session.ts'
import { foldReader } from './reader.ts'
import { skimResponses } from './skim.ts'
import { splitJson } from './split-json.ts'

/** https://platform.openai.com/docs/api-reference/responses, over HTTP, SSE and WebSocket. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  errorBody: openaiError,
  readRequest,
  skims: skimResponses,
  responseReader: () => foldReader(foldResponses()),
}

/** A body, or the messages that a client sent on a WebSocket, a line each. */
function readRequest(body: Uint8Array, path: string): RequestReading {
  const whole = parseBody(body)
  const requests = whole === null ? socketMessages(body) : [unwrapped(whole)]
  const last = requests.at(-1)
  if (last === undefined) return { model: null, stream: false, history: [], session: null }
  return {
    model: word(last.model),
    stream: last.stream === true || last.type === 'response.create',
    history: path.includes('/input_tokens') ? [] : readHistory(requests),
    session: readClientMetadata(last),
  }
}

/** A request either resends everything or, naming the response before it, only what is new. */
function readHistory(requests: readonly Json[]): Message[] {
  const restart = requests.findLastIndex((request) => word(request.previous_response_id) === null)
  const history = collectHistory()
  history.add('system', openaiParts(requests.at(-1)?.instructions))
  for (const { input } of requests.slice(Math.max(restart, 0))) {
    if (typeof input === 'string') history.add('user', openaiParts(input))
    for (const item of objects(input)) {
      const parts = itemParts(item)
      if (parts !== null) history.add(itemRole(item), parts)
    }
  }
  return history.messages()
}

function socketMessages(body: Uint8Array): Json[] {
  if (body.byteLength > readableBytes) return []
  const sent = splitJson(new TextDecoder().decode(body)).filter(({ type }) => type === 'response.create')
  return sent.map(unwrapped)
}

/** An early form of the protocol put the request into a field of its own. */
function unwrapped(message: Json): Json {
  return message.type === 'response.create' ? { ...message, ...object(message.response) } : message
}
