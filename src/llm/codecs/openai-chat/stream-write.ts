import { type Json, object } from '../../dialects/json.ts'
import type { Context, StreamWriter } from '../codec.ts'
import { writeError } from '../errors.ts'
import type { Block, StreamEvent } from '../events.ts'
import type { Counts, Stop } from '../model.ts'
import { chatUsage } from '../usages.ts'
import { envelope, finishReason } from './answer.ts'
import { writeDetail } from './thinking.ts'

export function streamWriter({ asked }: Context): StreamWriter {
  const wantsUsage = object(asked.stream_options)?.include_usage === true
  let head: Json = envelope({ id: '', model: '' }, 'chat.completion.chunk')
  let block: Block | null = null
  let calls = -1
  let details = 0
  let refused = false
  /** The thinking of this block: its signature goes out with all of it. */
  let thought = ''
  let stop: Stop = 'end'
  let usage: Counts | null = null

  function chunk(delta: Json, finish_reason: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }]
    return framed({ ...head, choices, ...(wantsUsage ? { usage: null } : {}) })
  }

  function open(opened: Block): string {
    block = opened
    thought = ''
    if (opened.kind === 'refusal') refused = true
    if (opened.kind !== 'call') return ''
    calls += 1
    const { id, name, custom } = opened
    const said = custom
      ? { type: 'custom', custom: { name, input: '' } }
      : { type: 'function', function: { name, arguments: '' } }
    return chunk({ tool_calls: [{ index: calls, id, ...said }] })
  }

  function delta(text: string): string {
    switch (block?.kind) {
      case 'thinking':
        thought += text
        return chunk({ reasoning_content: text })
      case 'refusal':
        return chunk({ refusal: text })
      case 'call': {
        const said = block.custom ? { custom: { input: text } } : { function: { arguments: text } }
        return chunk({ tool_calls: [{ index: calls, ...said }] })
      }
      default:
        return chunk({ content: text })
    }
  }

  function end(): string {
    const last = chunk({}, finishReason(stop, refused))
    const counts =
      wantsUsage && usage !== null ? framed({ ...head, choices: [], usage: chatUsage(usage) }) : ''
    return `${last}${counts}data: [DONE]\n\n`
  }

  return {
    write(event: StreamEvent): string {
      switch (event.type) {
        case 'start':
          head = envelope(event, 'chat.completion.chunk')
          return chunk({ role: 'assistant', content: '', refusal: null })
        case 'open':
          return open(event.block)
        case 'delta':
          return delta(event.text)
        case 'seal': {
          const detail = writeDetail({ kind: 'thinking', text: thought, seal: event.seal }, details)
          details += 1
          return detail === null ? '' : chunk({ reasoning_details: [detail] })
        }
        case 'usage':
          usage = event.usage
          return ''
        case 'stop':
          stop = event.stop
          return ''
        case 'ping':
          return ': ping\n\n'
        case 'error':
          return framed(writeError(event.error, 'openai-chat'))
        case 'end':
          return end()
        case 'close':
          return ''
      }
    },
  }
}

function framed(event: Json): string {
  return `data: ${JSON.stringify(event)}\n\n`
}
