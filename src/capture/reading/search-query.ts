import { SluiceError } from '#lib/errors'
import { searchQuery, wordsOf } from '../storing/words.ts'

/** A search as it was typed, in the syntax of Postgres' `websearch_to_tsquery`. */
export type Search = {
  /** For the index: a tsquery over the words of a turn. */
  tsquery: string
  /** `"in quotes"`: the index finds their words, the text itself must have them in a row. */
  phrases: string[]
  /** What to highlight, in lower case; one that ends in `*` stands for all that begin so. */
  words: string[]
}

type Term = { text: string; quoted: boolean; negated: boolean }

/**
 * Words must all be there; `or` between two asks for either, `-` before one for its absence, quotes for a phrase,
 * and `*` at its end for any word that begins so. A phrase beside `or`, or negated, counts as all its words.
 * @throws SluiceError 400 where there is no word to look for
 */
export function parseSearch(text: string, tenant: string | null): Search {
  const groups: Term[][] = [[]]
  let joined = false
  for (const term of terms(text)) {
    if (!term.quoted && !term.negated && term.text.toLowerCase() === 'or') {
      joined = true
      continue
    }
    const group = groups.at(-1)
    if (joined && group !== undefined && group.length > 0) group.push(term)
    else groups.push([term])
    joined = false
  }
  const clauses = groups.map((group) => alternatives(group, tenant)).filter((clause) => clause !== null)
  const wanted = groups
    .filter((group) => group.some((term) => !term.negated))
    .flat()
    .filter((term) => !term.negated)
  if (clauses.length === 0 || wanted.length === 0 || groups.every(mayBeAbsent)) {
    throw new SluiceError(400, 'bad-query', '?q: needs at least one word to look for')
  }
  return {
    tsquery: clauses.join(' & '),
    phrases: groups.flatMap((group) => {
      const [only] = group
      return group.length === 1 && only?.quoted && !only.negated ? [only.text] : []
    }),
    words: [...new Set(wanted.flatMap((term) => wordsOfTerm(term.text)))],
  }
}

function wordsOfTerm(text: string): string[] {
  const runs = text.normalize('NFKC').match(/[\p{L}\p{N}\p{M}_]+\*?/gu) ?? []
  return runs.flatMap((run) => (run.endsWith('*') ? [run.toLowerCase()] : [...wordsOf(run)]))
}

/** A group that also holds for turns without any of its words would make the search read everything. */
function mayBeAbsent(group: readonly Term[]): boolean {
  return group.length === 0 || group.some((term) => term.negated)
}

function alternatives(group: readonly Term[], tenant: string | null): string | null {
  const found = group.flatMap((term) => {
    const words = searchQuery(term.text, term.negated ? null : tenant)
    return words === null ? [] : [term.negated ? `!(${words})` : `(${words})`]
  })
  return found.length === 0 ? null : `(${found.join(' | ')})`
}

function* terms(text: string): Generator<Term> {
  for (const [whole, phrase, word] of text.matchAll(/-?(?:"([^"]*)"?|([^\s"]+))/g)) {
    const negated = whole.startsWith('-') && whole.length > 1
    const content = phrase ?? word ?? ''
    // In `[^\s"]+` the minus is only taken by the optional one before it.
    yield { text: content, quoted: phrase !== undefined, negated }
  }
}
