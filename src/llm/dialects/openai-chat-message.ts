import { type Json, list, object, word } from './json.ts'
import type { Part } from './message.ts'
import { openaiParts } from './openai-content.ts'

/** The parts of an assistant's message, as it is sent and as it is answered. */
export function chatMessageParts(message: Json): Part[] {
  const legacy = object(message.function_call)
  const audio = word(object(message.audio)?.transcript)
  return [
    ...openaiParts(message.content),
    ...openaiParts(message.refusal),
    ...openaiParts(audio),
    ...list(message.tool_calls).flatMap((call) => callParts(object(call))),
    ...(legacy === null ? [] : callParts({ function: legacy })),
  ]
}

function callParts(call: Json | null): Part[] {
  const named = object(call?.function) ?? object(call?.custom)
  if (named === null) return []
  const input = named.arguments ?? named.input ?? ''
  return [{ kind: 'call', name: word(named.name) ?? '', input, id: word(call?.id) }]
}
