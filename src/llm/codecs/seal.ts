import type { ChatDialect, Seal } from './model.ts'

const dialects: readonly ChatDialect[] = ['anthropic', 'openai-chat', 'openai-responses', 'gemini']
const mark = 'sluice:'

/**
 * A provider's signature goes to a client of another dialect inside that dialect's own field for signatures,
 * with the name of who signed it in front. The client sends it back with the history, and it is unpacked where
 * the next call goes to the same provider, and dropped elsewhere.
 */
export function packSeal(seal: Seal, own: ChatDialect): string {
  if (seal.by === own) return seal.data
  return `${mark}${seal.by}${seal.redacted ? '!' : ''}:${seal.data}`
}

/** Reads a signature found in `own` dialect: somebody else's where it is marked so. */
export function unpackSeal(text: string, own: ChatDialect): Seal {
  if (text.startsWith(mark)) {
    const end = text.indexOf(':', mark.length)
    const name = text.slice(mark.length, end)
    const redacted = name.endsWith('!')
    const by = dialects.find((dialect) => dialect === (redacted ? name.slice(0, -1) : name))
    if (by !== undefined && end > 0) return { by, data: text.slice(end + 1), redacted }
  }
  return { by: own, data: text, redacted: false }
}

/** Gemini's signatures are bytes: its SDKs decode them as base64. */
export function packBytes(seal: Seal): string {
  if (seal.by === 'gemini') return seal.data
  return Buffer.from(packSeal(seal, 'gemini')).toString('base64')
}

/** `c2x1aWNlO` is how base64 of our mark begins. */
export function unpackBytes(text: string): Seal {
  const plain = text.startsWith('c2x1aWNlO') ? Buffer.from(text, 'base64').toString() : text
  return unpackSeal(plain, 'gemini')
}
