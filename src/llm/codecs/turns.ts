import type { Call, Part, Result, Turn } from './model.ts'
import type { Losses } from './rules.ts'

/** The instructions at the beginning, and the rest of the conversation. */
export function splitSystem(turns: readonly Turn[]): { system: Part[]; rest: Turn[] } {
  const start = turns.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const end = start === -1 ? turns.length : start
  return { system: turns.slice(0, end).flatMap(({ parts }) => parts), rest: turns.slice(end) }
}

/** Later instructions, for targets that take none there. */
export function systemAsUser(turns: readonly Turn[], losses: Losses): Turn[] {
  return turns.map((turn) => {
    if (turn.role !== 'system' && turn.role !== 'developer') return turn
    losses.lose('system-late')
    return {
      role: 'user',
      parts: turn.parts.map((part) =>
        part.kind === 'text' ? { ...part, text: `<system>\n${part.text}\n</system>` } : part,
      ),
    }
  })
}

/** Neighbours of one role become one turn; results of tools come first in it. */
export function joinTurns(turns: readonly Turn[]): Turn[] {
  const joined: Turn[] = []
  for (const turn of turns) {
    const last = joined.at(-1)
    if (last?.role === turn.role) last.parts.push(...turn.parts)
    else joined.push({ role: turn.role, parts: [...turn.parts] })
  }
  for (const turn of joined) {
    if (turn.role === 'user' && turn.parts.some(({ kind }) => kind === 'result')) {
      turn.parts.sort((a, b) => Number(b.kind === 'result') - Number(a.kind === 'result'))
    }
  }
  return joined
}

/** What the result of a tool may hold. @throws SluiceError 400 for anything else, which would be lost */
export function resultContent(parts: readonly Part[], losses: Losses): Result['content'] {
  return parts.map((part) =>
    part.kind === 'text' || part.kind === 'image' || part.kind === 'document'
      ? part
      : losses.refuse('unknown-part', `${part.kind} in the result of a tool`),
  )
}

/** The calls of a conversation by their ids, for results that do not name their tool. */
export function callsById(turns: readonly Turn[]): Map<string, Call> {
  const calls = new Map<string, Call>()
  for (const { parts } of turns) for (const part of parts) if (part.kind === 'call') calls.set(part.id, part)
  return calls
}
