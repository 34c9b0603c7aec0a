import type { Json } from '../../dialects/json.ts'
import type { Context, StreamWriter } from '../codec.ts'
import { writeError } from '../errors.ts'
import type { Block, StreamEvent } from '../events.ts'
import type { Counts, Seal, Stop } from '../model.ts'
import { writeStop } from '../stops.ts'
import { chunk, writeParts } from './answer.ts'
import { isSse } from './request-read.ts'

export function streamWriter(context: Context): StreamWriter {
  const { path, to } = context
  const sse = isSse(path)
  let head = { id: '', model: '' }
  let block: Block | null = null
  let input = ''
  let sealed = false
  let stop: Stop = 'end'
  let usage: Counts | null = null
  let count = 0

  function framed(body: Json): string {
    count += 1
    const json = JSON.stringify(body)
    return sse ? `data: ${json}\r\n\r\n` : `${count === 1 ? '[' : ',\r\n'}${json}`
  }

  function part(json: Json | undefined): string {
    const content = { parts: json === undefined ? [] : [json], role: 'model' }
    return framed(chunk({ ...head, usage }, { content, index: 0 }))
  }

  function delta(text: string): string {
    if (block?.kind === 'thinking') return part({ text, thought: true })
    if (block?.kind !== 'call') return part({ text })
    input += text
    return ''
  }

  /** After the thinking that it signs, which may have had no words. */
  function sign(seal: Seal): string {
    sealed = true
    return part(writeParts([{ kind: 'thinking', text: '', seal }], context)[0])
  }

  function close(): string {
    if (block?.kind === 'thinking' && !sealed) return sign({ by: to, data: '', redacted: false })
    return block?.kind === 'call' ? part(writeParts([{ ...block, input }], context)[0]) : ''
  }

  function end(): string {
    const content = { parts: [{ text: '' }], role: 'model' }
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
          sealed = false
          return ''
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
