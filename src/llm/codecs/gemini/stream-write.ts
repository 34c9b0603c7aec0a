import type { Json } from '../../dialects/json.ts'
import type { Context, StreamWriter } from '../codec.ts'
import { writeError } from '../errors.ts'
import type { Block, StreamEvent } from '../events.ts'
import type { Counts, Part, Seal, Stop } from '../model.ts'
import { writeStop } from '../stops.ts'
import { chunk, writeParts } from './answer.ts'
import { methodOf } from './request-read.ts'

export function streamWriter({ path }: Context): StreamWriter {
  // Without `alt=sse` the answer is one JSON array, whose elements come one by one.
  const sse = methodOf(path).query.get('alt') === 'sse'
  let head = { id: '', model: '' }
  let block: Block | null = null
  let input = ''
  let seal: Seal | null = null
  let said = false
  let stop: Stop = 'end'
  let usage: Counts | null = null
  let count = 0

  function framed(body: Json): string {
    count += 1
    const json = JSON.stringify(body)
    return sse ? `data: ${json}\r\n\r\n` : `${count === 1 ? '[' : ',\r\n'}${json}`
  }

  function parts(said: Part[]): string {
    const written = writeParts(said)
    if (written.length === 0) return ''
    return framed(chunk({ ...head, usage }, { content: { parts: written, role: 'model' }, index: 0 }))
  }

  /** The seal of thinking that nobody can read goes with the part that follows. */
  function carried(part: Part): Part[] {
    const before: Part[] = seal === null ? [] : [{ kind: 'thinking', text: '', seal }]
    seal = null
    return [...before, part]
  }

  function delta(text: string): string {
    if (block?.kind === 'call') {
      input += text
      return ''
    }
    said = true
    if (block?.kind === 'thinking') return parts([{ kind: 'thinking', text, seal: null }])
    return parts(carried({ kind: 'text', text }))
  }

  function close(): string {
    if (block?.kind !== 'call') return ''
    const { id, name } = block
    return parts(carried({ kind: 'call', id, name, input }))
  }

  function end(): string {
    const rest = seal === null ? [] : writeParts([{ kind: 'thinking', text: '', seal }])
    const content = { parts: rest.length === 0 && !said ? [{ text: '' }] : rest, role: 'model' }
    const candidate = { content, finishReason: writeStop(stop, 'gemini'), index: 0 }
    return framed(chunk({ ...head, usage }, candidate)) + (sse ? '' : '\n]\n')
  }

  return {
    write(event: StreamEvent): string {
      switch (event.type) {
        case 'start':
          head = event
          return ''
        case 'open':
          block = event.block
          input = ''
          return ''
        case 'delta':
          return delta(event.text)
        case 'seal':
          seal = event.seal
          return ''
        case 'close':
          return close()
        case 'usage':
          usage = event.usage
          return ''
        case 'stop':
          stop = event.stop
          return ''
        case 'ping':
          return sse ? ': ping\n\n' : ''
        case 'error':
          return framed(writeError(event.error, 'gemini')) + (sse ? '' : '\n]\n')
        case 'end':
          return end()
      }
    },
  }
}
