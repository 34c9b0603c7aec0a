import { anthropicTokens, mergeAnthropicUsage } from '../../dialects/anthropic-usage.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Context, StreamReader } from '../codec.ts'
import { readError } from '../errors.ts'
import type { Block, Emit } from '../events.ts'
import { inputText, text } from '../reading.ts'
import { unpackSeal } from '../seal.ts'
import { sequencer } from '../sequencer.ts'
import { readStop } from '../stops.ts'
import { explained } from './answer.ts'

export function streamReader(emit: Emit, context: Context): StreamReader {
  const blocks = sequencer(emit)
  let usage: Json | null = null
  let ended = false

  function countUsage(said: unknown): void {
    usage = mergeAnthropicUsage(usage, object(said))
    const counts = anthropicTokens(usage)
    if (counts !== null) emit({ type: 'usage', usage: counts })
  }

  function start(key: string, content: Json): void {
    const block = blockOf(content, context)
    if (block === null) return
    blocks.open(key, block)
    blocks.delta(key, text(content.text) || text(content.thinking))
    if (content.type === 'redacted_thinking') {
      blocks.seal(key, { by: 'anthropic', data: text(content.data), redacted: true })
    }
    // Some servers send the whole input with the start and no deltas.
    const input = object(content.input)
    if (input !== null && Object.keys(input).length > 0) blocks.delta(key, inputText(input))
  }

  function delta(key: string, said: Json): void {
    if (said.type === 'signature_delta') blocks.seal(key, unpackSeal(text(said.signature), 'anthropic'))
    else if (said.type === 'citations_delta') context.lose('citations')
    else blocks.delta(key, text(said.text) || text(said.thinking) || text(said.partial_json))
  }

  function finish(said: Json): void {
    blocks.closeAll()
    for (const part of explained(said)) {
      blocks.open('refusal', { kind: 'refusal' })
      if (part.kind === 'refusal') blocks.delta('refusal', part.text)
      blocks.closeAll()
    }
    const reason = word(said.stop_reason)
    if (reason !== null) emit({ type: 'stop', stop: readStop(reason), sequence: word(said.stop_sequence) })
  }

  return {
    event(event) {
      const key = String(event.index)
      switch (event.type) {
        case 'message_start': {
          const message = object(event.message) ?? {}
          emit({ type: 'start', id: text(message.id), model: text(message.model) })
          countUsage(message.usage)
          break
        }
        case 'content_block_start':
          start(key, object(event.content_block) ?? {})
          break
        case 'content_block_delta':
          delta(key, object(event.delta) ?? {})
          break
        case 'content_block_stop':
          blocks.close(key)
          break
        case 'message_delta':
          finish(object(event.delta) ?? {})
          countUsage(event.usage)
          break
        case 'message_stop':
          ended = true
          emit({ type: 'end' })
          break
        case 'ping':
          emit({ type: 'ping' })
          break
        case 'error':
          ended = true
          emit({ type: 'error', error: readError(event, null) })
          break
      }
    },
    end() {
      blocks.closeAll()
      return ended
    },
  }
}

function blockOf(content: Json, context: Context): Block | null {
  if (content.type === 'text') {
    if (objects(content.citations).length > 0) context.lose('citations')
    return { kind: 'text' }
  }
  if (content.type === 'thinking' || content.type === 'redacted_thinking') return { kind: 'thinking' }
  if (content.type === 'tool_use') {
    const name = context.names.back(text(content.name))
    const custom = context.custom.has(name)
    return { kind: 'call', id: text(content.id), name, custom, wrapped: custom }
  }
  context.lose('server-history', text(content.type))
  return null
}
