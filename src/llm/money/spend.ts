import type { Sql, TransactionSql } from 'postgres'
import type { Accountable } from '#capture'
import { cleanText } from '#lib/errors'

type Row = {
  hour: string
  tenant: string
  key_id: string | null
  route: string | null
  provider: string | null
  model: string | null
  tags: string[]
  calls: number
  unpriced: number
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  reasoning_tokens: number
  cost_micros: number
  charged_micros: number
}

const counts = [
  'calls',
  'unpriced',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_micros',
  'charged_micros',
] as const

const hourMs = 3_600_000
/** Two who move sums at once would each move what the other has moved. */
export const spendLock = 1_366_351_873
/** Sums are kept by the hour for so many days, then by the day. */
export const daysByHour = 40

/**
 * Adds exchanges to the sums, in the transaction that stores them: once, as they are. Only inserts, so that workers
 * never wait for each other; a batch of a thousand calls is a handful of rows.
 */
export async function recordSpend(tx: TransactionSql, stored: readonly Accountable[]): Promise<void> {
  const rows = new Map<string, Row>()
  for (const one of stored) add(rows, one)
  if (rows.size === 0) return
  const all = [...rows.values()]
  const texts = (name: 'hour' | 'tenant' | 'key_id' | 'route' | 'provider' | 'model') =>
    all.map((row) => row[name])
  const numbers = (name: (typeof counts)[number]) => all.map((row) => String(row[name]))
  await tx`
    insert into spend (hour, tenant, key_id, route, provider, model, tags, calls, unpriced, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_micros, charged_micros)
    select hour, tenant, key_id, route, provider, model, array(select jsonb_array_elements_text(tags::jsonb)), calls,
      unpriced, input, output, cache_read, cache_write, reasoning, cost, charged
    from unnest(
      ${texts('hour')}::timestamptz[], ${texts('tenant')}::text[], ${texts('key_id')}::text[],
      ${texts('route')}::text[], ${texts('provider')}::text[], ${texts('model')}::text[],
      ${all.map((row) => JSON.stringify(row.tags))}::text[], ${numbers('calls')}::bigint[],
      ${numbers('unpriced')}::bigint[], ${numbers('input_tokens')}::bigint[], ${numbers('output_tokens')}::bigint[],
      ${numbers('cache_read_tokens')}::bigint[], ${numbers('cache_write_tokens')}::bigint[],
      ${numbers('reasoning_tokens')}::bigint[], ${numbers('cost_micros')}::bigint[],
      ${numbers('charged_micros')}::bigint[]
    ) as row (hour, tenant, key_id, route, provider, model, tags, calls, unpriced, input, output, cache_read,
      cache_write, reasoning, cost, charged)`
}

function add(rows: Map<string, Row>, { exchange: { open, end }, means }: Accountable): void {
  // A tool's call is nobody's model call, and has no price.
  if (open.dialect === 'mcp') return
  const fresh: Row = {
    hour: new Date(Math.floor(open.started_at / hourMs) * hourMs).toISOString(),
    tenant: open.tenant,
    key_id: named(open.key_id),
    route: named(end.routed?.route ?? null),
    provider: named(end.routed?.provider ?? open.provider),
    model: named(means.model_served ?? means.model_asked),
    tags: open.tags.map((tag) => named(tag) ?? '').sort(),
    ...{
      calls: 0,
      unpriced: 0,
      input_tokens: 0,
      output_tokens: 0,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
    },
    ...{ reasoning_tokens: 0, cost_micros: 0, charged_micros: 0 },
  }
  const { hour, tenant, key_id, route, provider, model, tags } = fresh
  const key = JSON.stringify([hour, tenant, key_id, route, provider, model, tags])
  const row = rows.get(key) ?? fresh
  rows.set(key, row)
  const { usage, cost } = means
  row.calls += 1
  row.unpriced += cost === null && usage !== null ? 1 : 0
  row.input_tokens += usage?.input ?? 0
  row.output_tokens += usage?.output ?? 0
  row.cache_read_tokens += usage?.cache_read ?? 0
  row.cache_write_tokens += usage?.cache_write ?? 0
  row.reasoning_tokens += usage?.reasoning ?? 0
  row.cost_micros += cost?.micros ?? 0
  row.charged_micros += end.charged_micros ?? cost?.micros ?? 0
}

function named(text: string | null): string | null {
  return text === null ? null : cleanText(text).slice(0, 200)
}

/** Adds up what is an hour old by the hour, and what is 40 days old by the day. Safe beside everything else. */
export async function compactSpend(sql: Sql): Promise<void> {
  await merge(
    sql,
    'hour',
    `hour < date_trunc('hour', now(), 'UTC') - interval '1 hour' and hour > now() - interval '2 days'`,
  )
  await merge(
    sql,
    'day',
    `hour < date_trunc('day', now(), 'UTC') - interval '${daysByHour} days' and hour > now() - interval '60 days'`,
  )
}

async function merge(sql: Sql, unit: 'hour' | 'day', where: string): Promise<void> {
  const sums = counts.map((name) => `sum(${name})::bigint`).join(', ')
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${spendLock})`
    await tx.unsafe(`
      with gone as (delete from spend where ${where} returning *)
      insert into spend (hour, tenant, key_id, route, provider, model, tags, ${counts.join(', ')})
      select date_trunc('${unit}', hour, 'UTC'), tenant, key_id, route, provider, model, tags, ${sums}
      from gone group by 1, 2, 3, 4, 5, 6, 7`)
  })
}
