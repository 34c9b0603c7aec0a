import type { Dialect, RequestReading } from './dialect.ts'
import { openaiError } from './errors.ts'
import { type Json, objects, parseBody, word } from './json.ts'
import { collectHistory, type Part } from './message.ts'
import { chatMessageParts } from './openai-chat-message.ts'
import { foldChat } from './openai-chat-response.ts'
import { openaiRole, outputText } from './openai-content.ts'
import { foldReader } from './reader.ts'
import { skimChat } from './skim.ts'

/** https://platform.openai.com/docs/api-reference/chat, and everybody who speaks it too. */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  errorBody: openaiError,
  readRequest,
  skims: skimChat,
  responseReader: () => foldReader(foldChat()),
}

function readRequest(body: Uint8Array): RequestReading {
  const request = parseBody(body)
  if (request === null) return { model: null, stream: false, history: [], session: null }
  const history = collectHistory()
  for (const message of objects(request.messages)) {
    const role = openaiRole(message.role)
    history.add(role, role === 'tool' ? resultPart(message) : chatMessageParts(message))
  }
  return {
    model: word(request.model),
    stream: request.stream === true,
    history: history.messages(),
    session: null,
  }
}

function resultPart(message: Json): Part[] {
  return [{ kind: 'result', text: outputText(message.content) }]
}
