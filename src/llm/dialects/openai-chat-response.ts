import { count, type Json, object, objects, word } from './json.ts'
import { append, toReply } from './message.ts'
import { chatMessageParts } from './openai-chat-message.ts'
import { chatTokens } from './openai-usage.ts'
import type { Fold } from './reader.ts'

type Call = { id: string | null; name: string; arguments: string }

export function foldChat(): Fold {
  let model: string | null = null
  let usage: Json | null = null
  let error: string | null = null
  let stop: string | null = null
  let whole: Json | null = null
  let complete = false
  let text = ''
  const calls = new Map<unknown, Call>()

  function readCommon(body: Json, choice: Json | undefined): void {
    model = word(body.model) ?? model
    error = openaiErrorType(body) ?? error
    stop = word(choice?.finish_reason) ?? stop
    // Some send counts with every chunk, each with all before it: the last ones hold.
    usage = object(body.usage) ?? object(object(body.x_groq)?.usage) ?? object(choice?.usage) ?? usage
  }

  function readDelta(delta: Json): void {
    text = append(text, word(delta.content) ?? word(delta.refusal) ?? '')
    for (const call of [...objects(delta.tool_calls), ...legacyCall(delta)]) {
      const key = call.index ?? call.id ?? 0
      const known = calls.get(key) ?? { id: null, name: '', arguments: '' }
      calls.set(key, known)
      const named = object(call.function) ?? object(call.custom)
      known.id ??= word(call.id)
      known.name ||= word(named?.name) ?? ''
      known.arguments = append(known.arguments, word(named?.arguments) ?? word(named?.input) ?? '')
    }
  }

  return {
    whole(body) {
      const choice = objects(body.choices)[0]
      readCommon(body, choice)
      complete = true
      const delta = object(choice?.delta)
      if (delta !== null) readDelta(delta)
      else whole = object(choice?.message)
    },
    event(event) {
      // Of several answers (`n` above 1) the first is the one that a conversation goes on with.
      const choice = objects(event.choices).find((one) => (count(one.index) ?? 0) === 0)
      readCommon(event, choice)
      readDelta(object(choice?.delta) ?? {})
    },
    result(ended) {
      const tokens = chatTokens(usage)
      const tool_calls = [...calls.values()].map(({ id, ...call }) => ({ id, function: call }))
      return {
        model,
        usage: tokens === null ? null : { ...tokens, final: complete || ended || stop !== null },
        error,
        ...toReply(chatMessageParts(whole ?? { content: text, tool_calls })),
        stop_reason: stop,
      }
    },
  }
}

/** The word for programs in `{error: {type, code, message}}`; some providers send only a string. */
export function openaiErrorType(body: Json): string | null {
  const error = object(body.error)
  if (error === null) return word(body.error) === null ? null : 'error'
  const code = typeof error.code === 'number' ? String(error.code) : word(error.code)
  return word(error.type) ?? code ?? 'error'
}

function legacyCall(delta: Json): Json[] {
  const named = object(delta.function_call)
  return named === null ? [] : [{ index: 'legacy', function: named }]
}
