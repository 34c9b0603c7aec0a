import { anthropicParts } from './anthropic-content.ts'
import { anthropicTokens, mergeAnthropicUsage } from './anthropic-usage.ts'
import { type Json, object, word } from './json.ts'
import { append, toReply } from './message.ts'
import type { Fold } from './reader.ts'

/** A content block while its deltas arrive. */
type Block = { start: Json; text: string; json: string }

export function foldAnthropic(): Fold {
  let model: string | null = null
  let usage: Json | null = null
  let error: string | null = null
  let stop: string | null = null
  let whole: unknown = null
  let complete = false
  const blocks = new Map<unknown, Block>()

  function readMessage(message: Json | null): void {
    model = word(message?.model) ?? model
    usage = mergeAnthropicUsage(usage, object(message?.usage))
    stop = word(message?.stop_reason) ?? stop
  }

  function readDelta(index: unknown, delta: Json): void {
    const block = blocks.get(index) ?? { start: { type: 'text' }, text: '', json: '' }
    blocks.set(index, block)
    block.text = append(block.text, word(delta.text) ?? word(delta.content) ?? '')
    block.json = append(block.json, word(delta.partial_json) ?? '')
  }

  return {
    whole(body) {
      error = errorType(body)
      if (body.type !== 'message' && error === null && !Array.isArray(body.content)) return
      readMessage(body)
      whole = body.content
      complete = true
    },
    event(event) {
      if (event.type === 'message_start') readMessage(object(event.message))
      else if (event.type === 'content_block_start') {
        blocks.set(event.index, { start: object(event.content_block) ?? {}, text: '', json: '' })
      } else if (event.type === 'content_block_delta') readDelta(event.index, object(event.delta) ?? {})
      else if (event.type === 'message_delta') {
        stop = word(object(event.delta)?.stop_reason) ?? stop
        usage = mergeAnthropicUsage(usage, object(event.usage))
      } else error = errorType(event) ?? error
    },
    result() {
      const tokens = anthropicTokens(usage)
      const content = whole ?? [...blocks.values()].map(finished)
      return {
        model,
        usage: tokens === null ? null : { ...tokens, final: complete || stop !== null },
        error,
        ...toReply(anthropicParts(content)),
        stop_reason: stop,
      }
    },
  }
}

function errorType(body: Json): string | null {
  const error = object(body.error)
  return error === null ? null : (word(error.type) ?? 'error')
}

/** The block as a body that is not streamed would carry it; cut JSON of a tool call stays text. */
function finished({ start, text, json }: Block): Json {
  if (start.type === 'text') return { ...start, text: (word(start.text) ?? '') + text }
  if (start.type === 'compaction') return { ...start, content: (word(start.content) ?? '') + text }
  return json === '' ? start : { ...start, input: json }
}
