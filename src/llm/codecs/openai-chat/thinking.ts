import { type Json, objects, word } from '../../dialects/json.ts'
import type { Thinking } from '../model.ts'
import { text } from '../reading.ts'
import { packSeal, unpackSeal } from '../seal.ts'

/**
 * The chat dialect has no place for thinking of its own. DeepSeek, vLLM and others send `reasoning_content`,
 * OpenRouter `reasoning`, and for signatures `reasoning_details`: these are read, and the first and the last are
 * written. Official SDKs keep fields that they do not know.
 */
export function readThinking(message: Json): Thinking[] {
  const details = objects(message.reasoning_details).map(readDetail)
  if (details.length > 0) return details
  const said = word(message.reasoning_content) ?? word(message.reasoning)
  return said === null ? [] : [{ kind: 'thinking', text: said, seal: own }]
}

const own = { by: 'openai-chat' as const, data: '', redacted: false }

/** Mistral's models think in parts of the content, each a list of texts again. */
export function readThinkingParts(content: unknown): Thinking[] {
  return objects(content).flatMap((part) => {
    if (part.type !== 'thinking') return []
    const said = objects(part.thinking).map((one) => text(one.text))
    return [{ kind: 'thinking' as const, text: said.join(''), seal: own }]
  })
}

function readDetail(detail: Json): Thinking {
  const signature = word(detail.signature) ?? word(detail.data)
  return {
    kind: 'thinking',
    text: text(detail.text) || text(detail.summary),
    seal: signature === null ? own : unpackSeal(signature, 'openai-chat'),
  }
}

/** Both forms; without a signature only the first. */
export function writeThinking(parts: readonly Thinking[]): Json {
  const said = parts.map(({ text }) => text).join('')
  const details = parts.map(writeDetail).filter((detail) => detail !== null)
  return {
    ...(said === '' ? {} : { reasoning_content: said }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
  }
}

export function writeDetail({ text, seal }: Thinking, index: number): Json | null {
  if (seal === null || (seal.by === 'openai-chat' && seal.data === '')) return null
  const signature = packSeal(seal, 'openai-chat')
  return text === ''
    ? { type: 'reasoning.encrypted', data: signature, index }
    : { type: 'reasoning.text', text, signature, index }
}
