import { random } from '../payloads.ts'

/** A text as turns have them, and its words as the worker breaks it into: of plain ones each is a word. */
export type Text = { text: string; words: string }

/** Words that the measurement asks for, and how many of the texts have them. */
export const planted = {
  /** In three of four. */
  frequent: 'deployment',
  /** In one of five each, and never in the same. */
  apart: ['invoice', 'telescope'],
  /** In one turn of a hundred thousand: see `fill.ts`. */
  rare: 'needle',
  absent: 'nowhere',
} as const

const vocabulary = 20_000
const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ka', 'le', 'mi', 'no', 'pu', 'ra', 'se', 'ti', 'vo', 'zu']

/** Texts of 5 to 60 words, common and rare ones as in any language (Zipf). The same ones on every run. */
export function texts(count: number): Text[] {
  const next = random(7)
  return Array.from({ length: count }, (_, n) => {
    const words = Array.from({ length: 5 + Math.floor(55 * next() ** 2) }, () =>
      wordOf(Math.floor(vocabulary ** next())),
    )
    if (n % 4 !== 0) words.splice(1, 0, planted.frequent)
    if (n % 5 < 2) words.push(planted.apart[n % 5] ?? '')
    const text = words.join(' ')
    return { text, words: [...new Set(words)].join(' ') }
  })
}

function wordOf(rank: number): string {
  let word = ''
  for (let rest = rank + 15; rest > 0; rest = Math.floor(rest / 15)) word += syllables[rest % 15]
  return word
}
