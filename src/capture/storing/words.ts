/**
 * Full-text search over prose in any language and over code. Postgres' own parser takes `src/capture/spool.ts` for
 * one word and a Chinese sentence for another; and it costs more than storing the rest of the exchange.
 */

/** Of a turn, what is searched: the rest is stored and read, but not found. */
const searchedLength = 256 * 1024
const mostWords = 20_000
const longestWord = 64

/** Scripts without spaces between words. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`
const unspacedRun = new RegExp(`^[${unspaced}]`, 'u')
const anyRuns = new RegExp(String.raw`([${unspaced}]+|(?:(?![${unspaced}])[\p{L}\p{N}\p{M}_])+)(\*?)`, 'gu')
const asciiRuns = /([A-Za-z0-9_]+)(\*?)/g
const ascii = /^[\0-\x7f]*$/
/** Where the parts of an identifier meet: `readFile`, `HTTPServer`, `utf8_text`. */
const seams = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u

/**
 * The words of a text, each once: every run of letters and digits, the parts of identifiers, and pairs of characters
 * where a script has no spaces.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  for (const { run } of runsOf(text.slice(0, searchedLength))) {
    if (words.size >= mostWords) break
    for (const word of wordsOfRun(run)) words.add(word)
  }
  return words
}

/** What is stored for a turn: the literal of a tsvector. The tenant is a word too, so that one index serves both. */
export function searchVector(tenant: string, text: string): string {
  const words = [tenantWord(tenant)]
  for (const word of wordsOf(text)) words.push(`'${word}'`)
  return words.join(' ')
}

/**
 * The tsquery that finds the turns with all words of a text, of one tenant or of all: a word matches where a stored
 * one begins with it if it ends in `*`. Null where the text has no word.
 */
export function searchQuery(text: string, tenant: string | null): string | null {
  const terms = new Set<string>()
  for (const { run, prefix } of runsOf(text)) {
    for (const word of queryWordsOfRun(run)) terms.add(`'${word}'${prefix ? ':*' : ''}`)
  }
  if (terms.size === 0) return null
  if (tenant !== null) terms.add(tenantWord(tenant))
  return [...terms].join(' & ')
}

function* runsOf(text: string): Generator<{ run: string; prefix: boolean }> {
  const plain = ascii.test(text)
  for (const [, run = '', star] of (plain ? text : text.normalize('NFKC')).matchAll(
    plain ? asciiRuns : anyRuns,
  ))
    yield { run, prefix: star === '*' || (isUnspaced(run) && run.length === 1) }
}

function isUnspaced(run: string): boolean {
  return unspacedRun.test(run)
}

function* wordsOfRun(run: string): Generator<string> {
  if (isUnspaced(run)) return yield* pairs(run)
  const whole = run.toLowerCase().slice(0, longestWord)
  yield whole
  const single = whole === run && !run.includes('_')
  if (single || run.length > longestWord) return
  for (const part of run.split(seams)) if (part !== '') yield part.toLowerCase()
}

/** A query's identifier is found by its parts: `readFile` also finds `read_file`. */
function queryWordsOfRun(run: string): string[] {
  const words = [...wordsOfRun(run)]
  return words.length > 1 && !isUnspaced(run) ? words.slice(1) : words
}

/** Overlapping pairs; a search for a single character takes it for the beginning of one. */
function* pairs(run: string): Generator<string> {
  const characters = [...run]
  if (characters.length === 1) yield run
  for (let at = 0; at + 1 < characters.length; at++) yield `${characters[at]}${characters[at + 1]}`
}

/** Cannot meet a word of a text, which has no `@`. */
function tenantWord(tenant: string): string {
  return `'@${tenant.replace(/['\\]/g, '')}'`
}
