import { type Json, objects, word } from '../../dialects/json.ts'
import type { Part, Thinking, Turn } from '../model.ts'
import { invalid, requiredWord, text } from '../reading.ts'
import type { Losses } from '../rules.ts'
import { unpackSeal } from '../seal.ts'
import { resultContent } from '../turns.ts'
import { readContent } from './content-read.ts'

/** One item of `input` or of `output`; null where it says nothing that another provider could use. */
export function readItem(item: Json, index: number, losses: Losses): Turn | null {
  const type = word(item.type) ?? 'message'
  switch (type) {
    case 'message': {
      const { role } = item
      if (role !== 'user' && role !== 'assistant' && role !== 'system' && role !== 'developer') {
        invalid(`role of input[${index}] must be user, assistant, system or developer`)
      }
      return { role, parts: readContent(item.content, losses) }
    }
    case 'reasoning':
      return { role: 'assistant', parts: [readReasoning(item)] }
    case 'function_call':
    case 'custom_tool_call':
      return { role: 'assistant', parts: [readCall(item)] }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'user', parts: [readResult(item, index, losses)] }
    case 'item_reference':
      return losses.refuse('stored-state', 'item_reference')
    case 'compaction':
      return losses.refuse('stored-state', 'a compacted history')
    default:
      losses.lose('server-history', type)
      return null
  }
}

/** The signature holds the id too: OpenAI wants both back. */
export function readReasoning(item: Json): Thinking {
  const summary = objects(item.summary).map((part) => text(part.text))
  const content = objects(item.content).map((part) => text(part.text))
  const said = (content.length > 0 ? content : summary).join('\n\n')
  const encrypted = word(item.encrypted_content)
  if (encrypted === null) return { kind: 'thinking', text: said, seal: null }
  const seal = unpackSeal(encrypted, 'openai-responses')
  const own = seal.by === 'openai-responses' ? { ...seal, data: joinId(text(item.id), seal.data) } : seal
  return { kind: 'thinking', text: said, seal: own }
}

export function joinId(id: string, data: string): string {
  return `${id}/${data}`
}

export function splitId(data: string): { id: string; encrypted: string } {
  const at = data.indexOf('/')
  return { id: data.slice(0, Math.max(at, 0)), encrypted: data.slice(at + 1) }
}

function readCall(item: Json): Part {
  const name = requiredWord(item.name, 'name of a call')
  const id = requiredWord(item.call_id, 'call_id of a call')
  return item.type === 'function_call'
    ? { kind: 'call', id, name, input: text(item.arguments) }
    : { kind: 'call', id, name, input: text(item.input), custom: true }
}

function readResult(item: Json, index: number, losses: Losses): Part {
  const id = requiredWord(item.call_id, `call_id of input[${index}]`)
  const content = resultContent(readContent(item.output, losses), losses)
  return { kind: 'result', id, name: null, content, error: false }
}
