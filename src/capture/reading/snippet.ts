import { wordsOf } from '../storing/words.ts'

/** A part of a text around what was searched, and where the words are in it, so that no client has to trust markup. */
export type Snippet = {
  text: string
  /** `[start, end)` in UTF-16 units of `text`. */
  highlights: [number, number][]
}

const before = 60
const length = 240
const mostHighlights = 20

/** Around the first of the words in the text; its beginning where there is none. `words` are of a `Search`. */
export function snippetOf(text: string, words: readonly string[]): Snippet {
  const first = places(text, words).next().value
  const start = wordStart(text, Math.max(0, (first?.[0] ?? 0) - before))
  const part = text.slice(start, start + length).toWellFormed()
  const highlights: [number, number][] = []
  for (const place of places(part, words)) {
    if (highlights.push(place) === mostHighlights) break
  }
  return { text: part, highlights }
}

/**
 * A word is looked for as a bare sequence, which is fast, and then held against the run of letters that it stands
 * in: the same test as that of the index, so that `read` is found in `readFile` and not in `thread`.
 */
function* places(text: string, words: readonly string[]): Generator<[number, number]> {
  const search = anyOf(words)
  if (search === null) return
  for (let hit = search.exec(text); hit !== null; hit = search.exec(text)) {
    const run = runAround(text, hit.index, hit[0].length)
    if (!isMeant(text.slice(...run), words)) {
      search.lastIndex = run[1]
      continue
    }
    const place: [number, number] = run[1] - run[0] > 80 ? [hit.index, hit.index + hit[0].length] : run
    search.lastIndex = place[1]
    yield place
  }
}

function anyOf(words: readonly string[]): RegExp | null {
  const sources = words
    .map((word) => RegExp.escape(word.replace(/\*$/, '')))
    .filter((source) => source !== '')
  return sources.length === 0 ? null : new RegExp(sources.join('|'), 'giu')
}

function isMeant(run: string, words: readonly string[]): boolean {
  const inside = wordsOf(run)
  return words.some((word) =>
    word.endsWith('*') ? [...inside].some((one) => one.startsWith(word.slice(0, -1))) : inside.has(word),
  )
}

const letter = /[\p{L}\p{N}\p{M}_]/u

function runAround(text: string, index: number, size: number): [number, number] {
  let start = index
  let end = index + size
  while (start > 0 && letter.test(text.charAt(start - 1))) start--
  while (end < text.length && letter.test(text.charAt(end))) end++
  return [start, end]
}

/** Not in the middle of a word, where one begins near. */
function wordStart(text: string, at: number): number {
  if (at === 0) return 0
  const space = text.slice(at, at + 20).search(/\s/)
  return space === -1 ? at : at + space + 1
}
