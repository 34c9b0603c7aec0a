import { type Json, object, word } from '../../dialects/json.ts'
import { responsesTokens } from '../../dialects/openai-usage.ts'
import type { Context, StreamReader } from '../codec.ts'
import { readError } from '../errors.ts'
import type { Block, Emit } from '../events.ts'
import type { Part } from '../model.ts'
import { text } from '../reading.ts'
import { sequencer } from '../sequencer.ts'
import { stopWith } from '../stops.ts'
import { readEnd, readOutput } from './answer.ts'
import { readReasoning } from './items-read.ts'

export function streamReader(emit: Emit, context: Context): StreamReader {
  const blocks = sequencer(emit)
  const kinds = new Set<Part['kind']>()
  /** Messages of which something came. */
  const spoken = new Set<string>()
  let started = false
  let ended = false

  function open(key: string, block: Block): void {
    if (blocks.has(key)) return
    kinds.add(block.kind)
    blocks.open(key, block)
  }

  function added(key: string, item: Json): void {
    if (item.type === 'reasoning') open(key, { kind: 'thinking' })
    else if (item.type === 'function_call' || item.type === 'custom_tool_call') {
      const name = context.names.back(text(item.name))
      const custom = item.type === 'custom_tool_call'
      open(key, { kind: 'call', id: word(item.call_id) ?? text(item.id), name, custom })
      blocks.delta(key, text(custom ? item.input : item.arguments))
    } else if (item.type !== 'message') context.lose('server-history', text(item.type))
  }

  function done(key: string, item: Json): void {
    if (item.type === 'reasoning') {
      const { text: said, seal } = readReasoning(item)
      if (blocks.textOf(key) === '') blocks.delta(key, said)
      if (seal !== null) blocks.seal(key, seal)
    }
    // Some servers send the text and the arguments with the end only.
    if (item.type === 'message' && !spoken.has(key)) {
      for (const part of readOutput(item, context)) {
        if (part.kind !== 'text' && part.kind !== 'refusal') continue
        open(key, { kind: part.kind })
        blocks.delta(key, part.text)
        blocks.close(key)
      }
    }
    const whole = text(item.type === 'custom_tool_call' ? item.input : item.arguments)
    if (blocks.has(key) && whole !== '' && blocks.textOf(key) === '') blocks.delta(key, whole)
    blocks.close(key)
  }

  function finish(response: Json): void {
    ended = true
    blocks.closeAll()
    const usage = responsesTokens(object(response.usage))
    if (usage !== null) emit({ type: 'usage', usage })
    if (response.status === 'failed' || object(response.error) !== null) {
      emit({ type: 'error', error: readError({ error: response.error }, null) })
      return
    }
    emit({ type: 'stop', stop: stopWith(readEnd(response), kinds), sequence: null })
    emit({ type: 'end' })
  }

  return {
    event(event) {
      const type = text(event.type)
      const key = String(event.output_index)
      const part = `${key} ${event.content_index}`
      const delta = text(event.delta)
      const response = object(event.response)
      if (response !== null && !started) {
        started = true
        emit({ type: 'start', id: text(response.id), model: text(response.model) })
      }
      switch (type) {
        case 'response.output_item.added':
          return added(key, object(event.item) ?? {})
        case 'response.output_item.done':
          return done(key, object(event.item) ?? {})
        case 'response.content_part.added':
          if (object(event.part)?.type === 'output_text') open(part, { kind: 'text' })
          return
        case 'response.output_text.delta':
          spoken.add(key)
          open(part, { kind: 'text' })
          return blocks.delta(part, delta)
        case 'response.refusal.delta':
          spoken.add(key)
          open(part, { kind: 'refusal' })
          return blocks.delta(part, delta)
        case 'response.output_text.annotation.added':
          return context.lose('citations')
        case 'response.content_part.done':
          return blocks.close(part)
        case 'response.reasoning_summary_part.added':
          if (blocks.textOf(key) !== '') blocks.delta(key, '\n\n')
          return
        case 'response.reasoning_summary_text.delta':
        case 'response.reasoning_text.delta':
        case 'response.function_call_arguments.delta':
        case 'response.custom_tool_call_input.delta':
          return blocks.delta(key, delta)
        case 'response.completed':
        case 'response.incomplete':
        case 'response.failed':
          return finish(response ?? {})
        case 'error':
          ended = true
          blocks.closeAll()
          emit({ type: 'error', error: readError(event, null) })
      }
    },
    end() {
      blocks.closeAll()
      return ended
    },
  }
}
