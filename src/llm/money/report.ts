import type postgres from 'postgres'
import { isoTime } from '#lib/clock'
import { idFloor } from '#lib/ids'

/** What a report can be by, as expressions on a row `s` of sums. */
export const dimensions: Record<string, string> = {
  model: 's.model',
  provider: 's.provider',
  key: 's.key_id',
  tenant: 's.tenant',
  route: 's.route',
  tag: 't.tag',
  day: `to_char(s.hour at time zone 'UTC', 'YYYY-MM-DD')`,
  hour: `to_char(s.hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:00:00"Z"')`,
}

/** Known of exchanges only. */
export const classes = ['task_type', 'complexity', 'language', 'domain', 'sensitivity']

export type ReportFilter = {
  /** ms since the epoch, both on the hour. */
  since: number
  until: number
  tenant: string | null
  provider?: string | undefined
  model?: string | undefined
  key_id?: string | undefined
  route?: string | undefined
  tag?: string | undefined
}

export type Sums = {
  calls: number
  unpriced: number
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  reasoning_tokens: number
  cost_micros: number
}
/** Sums, and a value for each dimension. */
export type ReportRow = Sums & Record<string, string | number | null>

const mostRows = 1_000
const counts = [
  ...['calls', 'unpriced', 'input_tokens', 'output_tokens'],
  ...['cache_read_tokens', 'cache_write_tokens', 'reasoning_tokens', 'cost_micros'],
]

export function isClass(name: string): boolean {
  return classes.includes(name)
}

/** The dearest first, 1,000 at most; the total is of everything. */
export async function report(
  sql: postgres.Sql,
  by: readonly string[],
  filter: ReportFilter,
): Promise<{ rows: ReportRow[]; total: Sums }> {
  const source = by.some(isClass) ? fromExchanges(sql, filter) : sql`(select s.* from spend s) s`
  const tags = by.includes('tag')
    ? sql`left join lateral unnest(case when s.tags = '{}' then array[null] else s.tags end) as t (tag) on true`
    : sql``
  const names = sql.unsafe(by.map((one) => `${dimensions[one] ?? `s.${one}`} as "${one}"`).join(', '))
  const none = sql.unsafe(by.map((one) => `null as "${one}"`).join(', '))
  const order = sql.unsafe(`cost_micros desc, calls desc, ${by.map((one) => `"${one}"`).join(', ')}`)
  const where = conditions(sql, filter)
  // One pass for both, unless an exchange counts more than once.
  const all = by.includes('tag') ? sql`${source} where ${where}` : sql`groups s`
  const rows = await sql<(ReportRow & { whole: boolean })[]>`
    with groups as (
      select ${names}, ${sumsOf(sql)} from ${source} ${tags} where ${where}
      group by ${sql.unsafe(by.map((_, index) => index + 1).join(', '))} having sum(s.calls) > 0
    )
    select * from (
      (select *, false as whole from groups order by ${order} limit ${mostRows})
      union all select ${none}, ${sumsOf(sql)}, true from ${all}
    ) found order by whole, ${order}`
  const total = rows.find(({ whole }) => whole)
  return { rows: rows.filter(({ whole }) => !whole), total: total ?? nothing }
}

function sumsOf(sql: postgres.Sql) {
  return sql.unsafe(counts.map((name) => `coalesce(sum(s.${name}), 0)::bigint as ${name}`).join(', '))
}

const nothing: Sums = {
  ...{ calls: 0, unpriced: 0, input_tokens: 0, output_tokens: 0 },
  ...{ cache_read_tokens: 0, cache_write_tokens: 0, reasoning_tokens: 0, cost_micros: 0 },
}

function conditions(
  sql: postgres.Sql,
  { since, until, tenant, provider, model, key_id, route, tag }: ReportFilter,
) {
  return sql`s.hour >= ${isoTime(since)} and s.hour < ${isoTime(until)}
    ${tenant === null ? sql`` : sql`and s.tenant = ${tenant}`}
    ${provider === undefined ? sql`` : sql`and s.provider = ${provider}`}
    ${model === undefined ? sql`` : sql`and s.model = ${model}`}
    ${key_id === undefined ? sql`` : sql`and s.key_id = ${key_id}`}
    ${route === undefined ? sql`` : sql`and s.route = ${route}`}
    ${tag === undefined ? sql`` : sql`and ${tag} = any(s.tags)`}`
}

/** Exchanges in the shape of sums, with their classes. */
function fromExchanges(sql: postgres.Sql, { since, until }: ReportFilter) {
  const [from, before] = [idFloor(since), idFloor(until)]
  return sql`(
    select date_trunc('hour', x.started_at, 'UTC') as hour, x.tenant, x.key_id, x.route, x.provider,
      coalesce(x.model_served, x.model_asked) as model, x.tags, 1 as calls,
      (x.cost_micros is null and coalesce(x.input_tokens, x.output_tokens) is not null)::int as unpriced, x.input_tokens, x.output_tokens, x.cache_read_tokens,
      x.cache_write_tokens, x.reasoning_tokens, x.cost_micros,
      k.task_type, k.complexity, k.language, k.domain, k.sensitivity
    from exchanges x left join exchange_classes k on k.id = x.id and k.id >= ${from} and k.id < ${before}
    where x.id >= ${from} and x.id < ${before}) s`
}
