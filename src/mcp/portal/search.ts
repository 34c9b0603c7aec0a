import type { RawJson } from '../wire/message.ts'
import type { Entry } from './view.ts'

export type FoundTool = { name: string; server: string | null; description: string; inputSchema: unknown }

/** What a word is worth, by where it stands. */
const worth = { name: 6, title: 3, description: 2, arguments: 1 }

/** Tools, read once for many searches. */
export type Searchable = { entry: Entry; tool: Read }

export function searchable(entries: readonly Entry[]): Searchable[] {
  return entries.map((entry) => ({ entry, tool: read(entry.json) }))
}

/** Tools by how well they fit the words of a query: rare words count more, and those in names most. */
export function searchTools(known: readonly Searchable[], query: string, limit: number): FoundTool[] {
  const asked = telling([...new Set(words(query))])
  const rarity = new Map(asked.map((word) => [word, rarityOf(word, known)]))
  return known
    .map((one) => ({ ...one, score: scoreOf(one.tool, asked, rarity) + exactness(one.entry, query) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.entry.exposed < b.entry.exposed ? -1 : 1))
    .slice(0, limit)
    .map(({ entry, tool }) => ({
      ...{ name: entry.exposed, server: entry.source?.server.name ?? null },
      ...{ description: tool.description, inputSchema: JSON.parse(tool.inputSchema) },
    }))
}

type Read = {
  text: string
  fields: Record<keyof typeof worth, string>
  description: string
  inputSchema: RawJson
}

function read(json: RawJson): Read {
  const tool = JSON.parse(json) as Record<string, unknown>
  const description = typeof tool.description === 'string' ? tool.description : ''
  const title = typeof tool.title === 'string' ? tool.title : ''
  const properties =
    (tool.inputSchema as { properties?: Record<string, unknown> } | undefined)?.properties ?? {}
  const fields = {
    name: words(String(tool.name)).join(' '),
    title: words(title).join(' '),
    description: words(description).join(' '),
    arguments: words(Object.keys(properties).join(' ')).join(' '),
  }
  const inputSchema = JSON.stringify(tool.inputSchema ?? {})
  return { text: Object.values(fields).join(' '), fields, description, inputSchema }
}

function scoreOf({ fields }: Read, asked: readonly string[], rarity: ReadonlyMap<string, number>): number {
  let score = 0
  for (const word of asked) {
    for (const [field, value] of Object.entries(worth)) {
      const text = ` ${fields[field as keyof typeof worth]} `
      if (text.includes(` ${word} `)) score += value * (rarity.get(word) ?? 0)
      else if (word.length > 3 && text.includes(` ${word.slice(0, -1)}`))
        score += (value / 2) * (rarity.get(word) ?? 0)
    }
  }
  return score
}

function exactness({ exposed, name }: Entry, query: string): number {
  return exposed === query.trim() || name === query.trim() ? 1_000 : 0
}

function rarityOf(word: string, known: readonly Searchable[]): number {
  const holding = known.filter(({ tool }) => tool.text.includes(word)).length
  return Math.log(1 + known.length / (1 + holding))
}

/** Short ones tell nothing: `an`, `of`. */
function telling(asked: readonly string[]): readonly string[] {
  const long = asked.filter((word) => word.length > 2)
  return long.length === 0 ? asked : long
}

/** Also of names: `createIssue` and `create_issue` are two words. */
function words(text: string): string[] {
  return text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}
