import type { DialectName, Translator } from '../codecs/translation.ts'
import { translator } from '../codecs/translator.ts'

/** A new one for each try. Null where there is no such way, or both are the same. */
export function translation(from: string, to: string): Translator | null {
  return isKnown(from) && isKnown(to) ? translator(from, to) : null
}

const dialects = ['anthropic', 'openai-chat', 'openai-responses', 'openai-embeddings', 'gemini'] as const

function isKnown(name: string): name is DialectName {
  return dialects.some((dialect) => dialect === name)
}
