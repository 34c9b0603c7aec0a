import type { Part } from '../model.ts'

/**
 * Thinking of another provider came to this client in pieces, with its signature on the part after them: all
 * of that is one thinking again.
 */
export function joinThoughts(parts: readonly Part[]): Part[] {
  const joined: Part[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    const follows = part.kind === 'thinking' && last?.kind === 'thinking' && last.seal === null
    if (follows && part.seal === null) last.text += part.text
    else if (follows && part.text === '' && part.seal?.by !== 'gemini') last.seal = part.seal
    else joined.push(part)
  }
  return joined
}
