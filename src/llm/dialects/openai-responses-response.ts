import { type Json, object, objects, word } from './json.ts'
import { append, toReply } from './message.ts'
import { openaiErrorType } from './openai-chat-response.ts'
import { itemParts, itemRole } from './openai-responses-items.ts'
import { responsesTokens } from './openai-usage.ts'
import type { Fold } from './reader.ts'
import { addTokens, type Tokens } from './usage.ts'

/** What a stream says of one response. A WebSocket may carry several, one after the other. */
type Answer = {
  items: Map<unknown, Json>
  status: string | null
  usage: Tokens | null
  reason: string | null
}

const terminal = new Set(['completed', 'incomplete', 'failed', 'cancelled'])

export function foldResponses(): Fold {
  let model: string | null = null
  let error: string | null = null
  let answer = newAnswer()
  const answers = [answer]

  function begin(): void {
    if (answer.status === null && answer.items.size === 0) return
    answer = newAnswer()
    answers.push(answer)
  }

  function readResponse(response: Json): void {
    model = word(response.model) ?? model
    answer.status = word(response.status) ?? answer.status
    answer.usage = responsesTokens(object(response.usage)) ?? answer.usage
    answer.reason = word(object(response.incomplete_details)?.reason)
    error = failure(response) ?? error
    const output = objects(response.output)
    // Some servers end a stream with an empty `output`: then the items of the stream stand.
    if (output.length > 0) answer.items = new Map(output.entries())
  }

  function readEvent(event: Json): void {
    const type = word(event.type) ?? ''
    const response = object(event.response)
    if (type === 'response.created') begin()
    if (response !== null) readResponse(response)
    else if (type.startsWith('response.output_item.')) {
      answer.items.set(event.output_index, object(event.item) ?? {})
    } else if (type.endsWith('.delta')) readDelta(answer, type, event)
    else if (type === 'error') error = openaiErrorType(event) ?? word(event.code) ?? 'error'
    else if (object(event.error) !== null) error = openaiErrorType(event)
  }

  return {
    whole(body) {
      // One message of a WebSocket looks like a body.
      if (/^(response\.|error$)/.test(word(body.type) ?? '')) readEvent(body)
      else {
        readResponse(body)
        answer.status ??= 'completed'
      }
    },
    event: readEvent,
    result() {
      const tokens = answers.reduce<Tokens | null>((sum, one) => addTokens(sum, one.usage), null)
      const final = answers.every((one) => terminal.has(one.status ?? ''))
      const said = [...answer.items.values()].flatMap((item) =>
        itemRole(item) === 'assistant' ? (itemParts(item) ?? []) : [],
      )
      return {
        model,
        usage: tokens === null ? null : { ...tokens, final },
        error,
        ...toReply(said),
        stop_reason: answer.reason ?? answer.status,
      }
    },
  }
}

function newAnswer(): Answer {
  return { items: new Map(), status: null, usage: null, reason: null }
}

function failure(response: Json): string | null {
  const error = object(response.error)
  if (error !== null) return word(error.code) ?? word(error.type) ?? 'error'
  return response.status === 'failed' ? 'failed' : null
}

/** Deltas matter only to a stream that breaks before `response.output_item.done`, which has them all. */
function readDelta(answer: Answer, type: string, event: Json): void {
  const item = answer.items.get(event.output_index) ?? { type: 'message', role: 'assistant' }
  const delta = word(event.delta) ?? ''
  answer.items.set(event.output_index, item)
  if (type === 'response.output_text.delta' || type === 'response.refusal.delta') {
    const parts = objects(item.content)
    const text = append(word(parts[0]?.text) ?? '', delta)
    item.content = [{ type: 'output_text', text }]
  } else if (type === 'response.function_call_arguments.delta') {
    item.arguments = append(word(item.arguments) ?? '', delta)
  } else if (type === 'response.custom_tool_call_input.delta') {
    item.input = append(word(item.input) ?? '', delta)
  }
}
