import type { ChatDialect } from './model.ts'

/** The longest names of tools, and what may be in them. */
const limits: Record<ChatDialect, { length: number; bad: RegExp }> = {
  anthropic: { length: 128, bad: /[^a-zA-Z0-9_-]/g },
  'openai-chat': { length: 64, bad: /[^a-zA-Z0-9_-]/g },
  'openai-responses': { length: 64, bad: /[^a-zA-Z0-9_-]/g },
  gemini: { length: 128, bad: /[^a-zA-Z0-9_.:-]/g },
}

/** Names of tools as the target takes them, and back. One for each call. */
export type Names = {
  /** The name at the target; equal names give equal ones. */
  out(name: string): string
  /** The client's name for what the target called. */
  back(name: string): string
  changed(): string[]
}

export function toolNames(target: ChatDialect): Names {
  const { length, bad } = limits[target]
  const there = new Map<string, string>()
  const here = new Map<string, string>()

  function fitted(name: string): string {
    const clean = name.replace(bad, '_').replace(/^(?![a-zA-Z_])/, target === 'gemini' ? '_' : '')
    if (clean.length <= length && clean !== '' && !here.has(clean)) return clean
    // The end of a name tells tools of one server apart; the hash tells apart what is cut to the same end.
    const hash = Bun.hash.wyhash(name).toString(36).slice(0, 8)
    return `t_${hash}_${clean.slice(-(length - hash.length - 3))}`
  }

  return {
    out(name) {
      const known = there.get(name)
      if (known !== undefined) return known
      const short = fitted(name)
      there.set(name, short)
      here.set(short, name)
      return short
    },
    back: (name) => here.get(name) ?? name,
    changed: () => [...there].filter(([name, short]) => name !== short).map(([name]) => name),
  }
}

/** Ids of calls as the target takes them: the call and its result get the same one, on every turn. */
export function callId(id: string, target: ChatDialect): string {
  if (target === 'gemini') return id
  const longest = target === 'openai-chat' ? 40 : 64
  if (id.length <= longest && /^[a-zA-Z0-9_-]+$/.test(id)) return id
  return `call_${Bun.hash.wyhash(id).toString(36)}`
}
