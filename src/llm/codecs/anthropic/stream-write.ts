import type { Json } from '../../dialects/json.ts'
import type { Context, StreamWriter } from '../codec.ts'
import { writeError } from '../errors.ts'
import type { Block, StreamEvent } from '../events.ts'
import type { Counts, Seal } from '../model.ts'
import { packSeal } from '../seal.ts'
import { writeStop } from '../stops.ts'
import { anthropicUsage } from '../usages.ts'
import { envelope } from './answer.ts'

export function streamWriter({ to }: Context): StreamWriter {
  let index = -1
  let block: Block['kind'] | 'redacted' | null = null
  /** A thinking block that has not been written yet: whether it is a redacted one is known by its seal. */
  let pending = false
  let sealed = false
  let usage: Counts | null = null
  let stop: { stop: string; sequence: string | null } | null = null

  function open(opened: Block): string {
    block = opened.kind
    sealed = false
    pending = opened.kind === 'thinking'
    if (pending) return ''
    return started(
      opened.kind === 'call'
        ? { type: 'tool_use', id: opened.id, name: opened.name, input: {}, caller: { type: 'direct' } }
        : { type: 'text', text: '', citations: null },
    )
  }

  function started(content_block: Json): string {
    index += 1
    pending = false
    return named({ type: 'content_block_start', index, content_block })
  }

  function thinking(): string {
    return pending ? started({ type: 'thinking', thinking: '', signature: '' }) : ''
  }

  function delta(text: string): string {
    if (block === 'thinking') return thinking() + changed({ type: 'thinking_delta', thinking: text })
    if (block === 'call') return changed({ type: 'input_json_delta', partial_json: text })
    return changed({ type: 'text_delta', text })
  }

  function changed(delta: Json): string {
    return named({ type: 'content_block_delta', index, delta })
  }

  function sign(seal: Seal): string {
    sealed = true
    if (pending && seal.redacted && seal.by === 'anthropic') {
      block = 'redacted'
      return started({ type: 'redacted_thinking', data: seal.data })
    }
    return thinking() + changed({ type: 'signature_delta', signature: packSeal(seal, 'anthropic') })
  }

  function close(): string {
    // Who thought must be known when the client sends it back, even where nobody signed it.
    const unsigned = block === 'thinking' && !sealed
    const signature = unsigned ? sign({ by: to, data: '', redacted: false }) : ''
    block = null
    return signature + named({ type: 'content_block_stop', index })
  }

  function end(): string {
    const delta = {
      stop_reason: stop?.stop ?? 'end_turn',
      stop_sequence: stop?.sequence ?? null,
      stop_details: null,
      container: null,
    }
    return (
      named({ type: 'message_delta', delta, usage: anthropicUsage(usage) }) + named({ type: 'message_stop' })
    )
  }

  return {
    write(event: StreamEvent): string {
      switch (event.type) {
        case 'start': {
          const empty = { content: [], stop_reason: null, stop_sequence: null, stop_details: null }
          const message = { ...envelope(event), ...empty, usage: anthropicUsage(usage) }
          return named({ type: 'message_start', message })
        }
        case 'open':
          return open(event.block)
        case 'delta':
          return delta(event.text)
        case 'seal':
          return sign(event.seal)
        case 'close':
          return close()
        case 'usage':
          usage = event.usage
          return ''
        case 'stop':
          stop = { stop: writeStop(event.stop, 'anthropic'), sequence: event.sequence }
          return ''
        case 'ping':
          return named({ type: 'ping' })
        case 'error':
          return named({ ...writeError(event.error, 'anthropic'), type: 'error' })
        case 'end':
          return end()
      }
    },
  }
}

function named(event: Json): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
