import type { Sql } from 'postgres'
import type { Classes } from '../classes.ts'
import { type Column, insertRows } from './insert.ts'
import { dayOf, makePartitions } from './partitions.ts'

/** An exchange whose classes are not known yet, and can be. */
export type Unclassified = {
  id: string
  tenant: string
  provider: string | null
  conversation_id: string | null
}

export type ClassifiedExchange = {
  exchange: Unclassified
  classes: Classes
  /** Who said so: `rules`, or provider and model. */
  source: string
  /** For its conversation, where that has none. */
  title: string | null
}

/** Of these ids: what was answered, has content, and is no call of our own. */
export async function unclassified(sql: Sql, ids: readonly string[]): Promise<Unclassified[]> {
  if (ids.length === 0) return []
  const sorted = [...ids].sort()
  const [first, last] = [sorted[0] ?? '', sorted.at(-1) ?? '']
  return await sql<Unclassified[]>`
    select x.id, x.tenant, x.provider, x.conversation_id from exchanges x
    where x.id = any(${sorted}::uuid[]) and x.id between ${first} and ${last} and ${classifiable(sql)}
      and not exists (select from exchange_classes k where k.id = x.id and k.id between ${first} and ${last})
    order by x.id`
}

/** The next ones after an id and before another, oldest first. */
export async function unclassifiedSince(
  sql: Sql,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<Unclassified[]> {
  return await sql<Unclassified[]>`
    select x.id, x.tenant, x.provider, x.conversation_id from exchanges x
    where x.id > ${after} and x.id < ${before} and ${classifiable(sql)}
      and not exists (select from exchange_classes k where k.id = x.id and k.id > ${after} and k.id < ${before})
    order by x.id limit ${limit}`
}

function classifiable(sql: Sql) {
  return sql`x.mode = 'full' and x.outcome = 'completed' and x.status < 300 and x.dialect is not null
    and x.dialect not in ('openai-models', 'mcp') and x.path !~ '(count_tokens|countTokens|input_tokens)'
    and not x.tags @> array['sluice-internal']`
}

const columns: Column<ClassifiedExchange>[] = [
  { name: 'id', kind: 'uuid', value: ({ exchange }) => exchange.id },
  { name: 'tenant', kind: 'text', value: ({ exchange }) => exchange.tenant },
  { name: 'task_type', kind: 'text', value: ({ classes }) => classes.task_type },
  { name: 'complexity', kind: 'text', value: ({ classes }) => classes.complexity },
  { name: 'language', kind: 'text', value: ({ classes }) => classes.language },
  { name: 'stack', kind: 'texts', value: ({ classes }) => classes.stack },
  { name: 'domain', kind: 'text', value: ({ classes }) => classes.domain },
  { name: 'sensitivity', kind: 'text', value: ({ classes }) => classes.sensitivity },
  { name: 'source', kind: 'text', value: ({ source }) => source },
]

/** Stores the classes, once each, and titles for conversations that have none. `days` is what the caller keeps. */
export async function storeClasses(
  sql: Sql,
  classified: readonly ClassifiedExchange[],
  days: Set<number>,
): Promise<void> {
  const missing = [...new Set(classified.map(({ exchange }) => dayOf(exchange.id)))].filter(
    (day) => !days.has(day),
  )
  if (missing.length > 0) await makePartitions(sql, missing)
  for (const day of missing) days.add(day)
  if (classified.length === 0) return
  await insertRows(sql, 'exchange_classes', columns, classified, 'on conflict (id) do nothing')
  await nameConversations(sql, classified)
}

/** One short statement each: whoever stores a batch holds several of these rows, in another order. */
async function nameConversations(sql: Sql, classified: readonly ClassifiedExchange[]): Promise<void> {
  const titles = new Map<string, string>()
  for (const { exchange, title } of classified) {
    const id = exchange.conversation_id
    if (id !== null && title !== null && !titles.has(id)) titles.set(id, title)
  }
  const nameless = await sql<{ id: string }[]>`
    select id from conversations where id = any(${[...titles.keys()]}::uuid[]) and title is null`
  for (const { id } of nameless) {
    await sql`update conversations set title = ${titles.get(id) ?? null} where id = ${id} and title is null`
  }
}
