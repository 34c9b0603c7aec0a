import { canonicalJson, parseJson } from '../dialects/json.ts'

/** Who said what. */
export type Voice = { model: string; text: string }
export type Group = { models: string[]; text: string }

export type Agreement = {
  reached: boolean
  needed: number
  /** The largest group as a part of all voices. */
  agreement: number
  /** Largest first; those after the first dissent. */
  groups: Group[]
}

/** Texts whose words are as alike as that say the same. Found on rephrased one-sentence answers; yes and no never are. */
const alike = 0.75

/** Which voices agree, by what they say: equal JSON, equal words, or long texts with nearly the same words. */
export function groupByWords(voices: readonly Voice[]): Group[] {
  const groups: (Group & { key: string; words: Map<string, number> })[] = []
  for (const { model, text } of voices) {
    const key = keyOf(text)
    const words = countWords(key)
    const same = groups.find((group) => group.key === key || similarity(group.words, words) >= alike)
    if (same === undefined) groups.push({ models: [model], text, key, words })
    else same.models.push(model)
  }
  return groups.map(({ models, text }) => ({ models, text }))
}

/** Do k of the voices agree? Without k: more than half. */
export function agreementOf(groups: readonly Group[], k?: number): Agreement {
  const sorted = [...groups].sort((a, b) => b.models.length - a.models.length)
  const voices = sorted.reduce((sum, { models }) => sum + models.length, 0)
  const needed = k ?? Math.floor(voices / 2) + 1
  const largest = sorted[0]?.models.length ?? 0
  return {
    reached: largest >= needed && largest > (sorted[1]?.models.length ?? 0),
    needed,
    agreement: voices === 0 ? 0 : largest / voices,
    groups: sorted,
  }
}

function keyOf(text: string): string {
  const bare = text.trim().replace(/^```\w*\n([\s\S]*)\n```$/, '$1')
  const json = /^[[{]/.test(bare) ? parseJson(bare) : undefined
  if (json !== undefined) return canonicalJson(json)
  return bare
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}.,-]+/gu, ' ')
    .replace(/(?<!\d)[.,-]|[.,-](?!\d)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of text.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Shared words as a part of all. Few words must be equal: "yes" and "no" differ by one; and so must all numbers. */
function similarity(a: Map<string, number>, b: Map<string, number>): number {
  const words = new Set([...a.keys(), ...b.keys()])
  if (Math.min(a.size, b.size) < 5) return 0
  let shared = 0
  let all = 0
  for (const word of words) {
    const one = a.get(word) ?? 0
    const other = b.get(word) ?? 0
    if (one !== other && decisive.test(word)) return 0
    shared += Math.min(one, other)
    all += Math.max(one, other)
  }
  return shared / all
}

/** Words that turn a sentence around. */
const decisive = /\d|^(not|no|never|none|cannot|yes|true|false|isn|don|doesn|won|nicht|kein|keine)$/
