/**
 * Full-text search over prose in any language and over code. Postgres' own parser takes `src/capture/spool.ts` for
 * one word and a Chinese sentence for another; and it costs more than storing the rest of the exchange.
 */

/** Of a turn, what is searched: the rest is stored and read, but not found. */
const searchedLength = 256 * 1024
const mostWords = 20_000
const longestWord = 64

const asciiRuns = /[A-Za-z0-9_]+/g
const anyRuns = /[\p{L}\p{N}\p{M}_]+/gu
const queryRuns = /([\p{L}\p{N}\p{M}_]+)(\*?)/gu
const ascii = /^[\0-\x7f]*$/
/** Most runs of most texts: nothing to take apart. */
const simple = /^(?:[A-Z]?[a-z0-9]{0,63}|[A-Z]{1,64})$/
/** Where the parts of an identifier meet: `readFile`, `HTTPServer`, `utf8_text`. */
const seams = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
/** Scripts without spaces between words. */
const scripts = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar']
const unspaced = scripts.map((script) => `\\p{Script=${script}}`).join('')
const unspacedRun = new RegExp(`^[${unspaced}]`, 'u')
const scriptRuns = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu')

/**
 * The words of a text, each once: every run of letters and digits, the parts of identifiers, and pairs of characters
 * where a script has no spaces.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  for (const run of runsIn(text.slice(0, searchedLength))) {
    if (words.has(run)) continue
    if (words.size >= mostWords) break
    if (simple.test(run)) words.add(run.toLowerCase())
    else for (const word of wordsOfRun(run)) words.add(word)
  }
  return words
}

function runsIn(text: string): string[] {
  return (ascii.test(text) ? text.match(asciiRuns) : text.normalize('NFKC').match(anyRuns)) ?? []
}

/** What is stored for a turn: the literal of a tsvector. The tenant is a word too, so that one index serves both. */
export function searchVector(tenant: string, text: string): string {
  return [tenantWord(tenant), ...wordsOf(text)].join(' ')
}

/**
 * The tsquery that finds the turns with all words of a text, of one tenant or of all: a word matches where a stored
 * one begins with it if it ends in `*`. Null where the text has no word.
 */
export function searchQuery(text: string, tenant: string | null): string | null {
  const terms = new Set<string>()
  for (const [, run = '', star] of text.normalize('NFKC').matchAll(queryRuns)) {
    for (const word of queryWordsOfRun(run)) {
      const begins = star === '*' || (isUnspaced(word) && word.length === 1)
      terms.add(`'${word}'${begins ? ':*' : ''}`)
    }
  }
  if (terms.size === 0) return null
  if (tenant !== null) terms.add(tenantWord(tenant))
  return [...terms].join(' & ')
}

function isUnspaced(run: string): boolean {
  return unspacedRun.test(run)
}

function wordsOfRun(run: string): string[] {
  if (ascii.test(run)) return wordsOfName(run)
  return (run.match(scriptRuns) ?? []).flatMap((part) => (isUnspaced(part) ? pairs(part) : wordsOfName(part)))
}

/** A name as a whole, and then its parts if it has any. */
function wordsOfName(run: string): string[] {
  const whole = run.toLowerCase().slice(0, longestWord)
  const single = run.length > longestWord || (whole === run && !run.includes('_'))
  const parts = single ? [] : run.split(seams).filter((part) => part !== '')
  return parts.length < 2 ? [whole] : [whole, ...parts.map((part) => part.toLowerCase())]
}

/** A query's name is found by its parts: `readFile` also finds `read_file`. */
function queryWordsOfRun(run: string): string[] {
  return (run.match(scriptRuns) ?? []).flatMap((part) => {
    if (isUnspaced(part)) return pairs(part)
    const words = wordsOfName(part)
    return words.length > 1 ? words.slice(1) : words
  })
}

/** Overlapping pairs; a search for a single character takes it for the beginning of one. */
function pairs(run: string): string[] {
  const characters = [...run]
  return characters.length === 1
    ? characters
    : characters.slice(1).map((character, at) => `${characters[at]}${character}`)
}

/** Cannot meet a word of a text, which has no `@`. */
function tenantWord(tenant: string): string {
  return `'@${tenant.replace(/['\\]/g, '')}'`
}
