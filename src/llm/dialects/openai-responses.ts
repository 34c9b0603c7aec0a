import type { Dialect, RequestReading } from './dialect.ts'
import { openaiError } from './errors.ts'
import { type Json, object, objects, parseBody, readableBytes, word } from './json.ts'
import { collectHistory } from './message.ts'
import { openaiParts } from './openai-content.ts'
import { itemParts, itemRole } from './openai-responses-items.ts'
import { foldResponses } from './openai-responses-response.ts'
import { readClientMetadata } from './openai-responses-session.ts'
import { foldReader } from './reader.ts'
import { splitJson } from './split-json.ts'

/** https://platform.openai.com/docs/api-reference/responses, over HTTP, SSE and WebSocket. */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  errorBody: openaiError,
  readRequest,
  responseReader: () => foldReader(foldResponses()),
}

/** A body, or the messages that a client sent on a WebSocket, a line each: the last one stands for all. */
function readRequest(body: Uint8Array, path: string): RequestReading {
  const request = parseBody(body) ?? lastMessage(body)
  if (request === null) return { model: null, stream: false, history: [], session: null }
  return {
    model: word(request.model),
    stream: request.stream === true || request.type === 'response.create',
    history: path.includes('/input_tokens') ? [] : readHistory(request),
    session: readClientMetadata(request),
  }
}

function readHistory(request: Json): RequestReading['history'] {
  const history = collectHistory()
  history.add('system', openaiParts(request.instructions))
  if (typeof request.input === 'string') history.add('user', openaiParts(request.input))
  for (const item of objects(request.input)) {
    const parts = itemParts(item)
    if (parts !== null) history.add(itemRole(item), parts)
  }
  return history.messages()
}

function lastMessage(body: Uint8Array): Json | null {
  if (body.byteLength > readableBytes) return null
  const sent = splitJson(new TextDecoder().decode(body)).filter(({ type }) => type === 'response.create')
  const last = sent.at(-1) ?? null
  // An early form of the protocol wrapped the request in a field of its own.
  return object(last?.response) ?? last
}
