import type postgres from 'postgres'
import { isoTime } from '#lib/clock'
import type { Classes } from '../classes.ts'
import type { ExchangeAttempt } from '../exchange.ts'
import { isClass } from './class-filters.ts'
import type { ExchangeFilters } from './exchange-filters.ts'
import { statusRange } from './exchange-filters.ts'
import { isMcp, type McpItem } from './mcp-filters.ts'

/** A row as `exchangeColumns` give it; times in ms since the epoch. */
export type BareExchangeRow = {
  id: string
  conversation_id: string | null
  tenant: string
  key_id: string | null
  tags: string[]
  mode: string
  protocol: string
  method: string
  path: string
  dialect: string | null
  provider: string | null
  model_asked: string | null
  model_served: string | null
  streamed: boolean
  status: number | null
  outcome: string
  error: string | null
  started_at: number
  first_byte_at: number | null
  ended_at: number
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cache_write_1h_tokens: number | null
  reasoning_tokens: number | null
  usage_final: boolean | null
  cost_micros: number | null
  currency: string | null
  price_version: string | null
  request_sha256: string | null
  response_sha256: string | null
  request_bytes: number
  response_bytes: number
  replay_of: string | null
  route: string | null
  attempts: ExchangeAttempt[] | null
  warnings: string[] | null
  spool: string
  seq: number
  cache: string | null
}

/** What other tables know of an exchange: see `withFacts`. */
export type ExchangeFacts = {
  classes: (Classes & { source: string }) | null
  mcp: McpItem | null
}
export type ExchangeRow = BareExchangeRow & ExchangeFacts

export function exchangeColumns(sql: postgres.Sql): postgres.Fragment {
  return sql`x.id, x.conversation_id, x.tenant, x.key_id, x.tags, x.mode, x.protocol, x.method, x.path, x.dialect,
    x.provider, x.model_asked, x.model_served, x.streamed, x.status, x.outcome, x.error,
    extract(epoch from x.started_at)::float8 * 1000 as started_at,
    extract(epoch from x.first_byte_at)::float8 * 1000 as first_byte_at,
    extract(epoch from x.ended_at)::float8 * 1000 as ended_at,
    x.input_tokens, x.output_tokens, x.cache_read_tokens, x.cache_write_tokens, x.cache_write_1h_tokens,
    x.reasoning_tokens, x.usage_final, x.cost_micros, x.currency, x.price_version,
    encode(x.request_sha256, 'hex') as request_sha256, encode(x.response_sha256, 'hex') as response_sha256,
    x.request_bytes, x.response_bytes, x.replay_of, x.route, x.attempts, x.warnings, x.spool, x.seq, x.cache`
}

export type ExchangeItem = ReturnType<typeof exchangeItem>

/** An exchange as the API shows it, in lists, exports and the tail. */
export function exchangeItem(row: ExchangeRow) {
  return {
    id: row.id,
    conversation_id: row.conversation_id,
    tenant: row.tenant,
    key_id: row.key_id,
    tags: row.tags,
    mode: row.mode,
    protocol: row.protocol,
    method: row.method,
    path: row.path,
    dialect: row.dialect,
    provider: row.provider,
    model_asked: row.model_asked,
    model_served: row.model_served,
    streamed: row.streamed,
    status: row.status,
    outcome: row.outcome,
    error: row.error,
    started_at: isoTime(row.started_at),
    first_byte_at: row.first_byte_at === null ? null : isoTime(row.first_byte_at),
    ended_at: isoTime(row.ended_at),
    latency_ms: milliseconds(row.ended_at - row.started_at),
    first_byte_ms: row.first_byte_at === null ? null : milliseconds(row.first_byte_at - row.started_at),
    usage: usageOf(row),
    cost:
      row.cost_micros === null
        ? null
        : { micros: row.cost_micros, currency: row.currency, price_version: row.price_version },
    request_bytes: row.request_bytes,
    response_bytes: row.response_bytes,
    request_sha256: row.request_sha256,
    response_sha256: row.response_sha256,
    replay_of: row.replay_of,
    route: row.route,
    attempts: row.attempts,
    warnings: row.warnings,
    spool: row.spool,
    seq: row.seq,
    cache: row.cache,
    /** Found some time after the end; null until then, and where nothing is to be classified. */
    classes: row.classes,
    /** What an exchange of MCP is about, and by which it was caused; null of any other. */
    mcp: row.mcp,
  }
}

/** The filters once more, for what arrives live: must agree with `exchangeConditions`. */
export function matches(item: ExchangeItem, filters: ExchangeFilters): boolean {
  const { micros } = item.cost ?? { micros: null }
  const started = Date.parse(item.started_at)
  const [status, statusBelow] = statusRange(filters.status)
  return (
    within(started, filters.since, filters.until === undefined ? undefined : filters.until - 1) &&
    (filters.tenant === null || item.tenant === filters.tenant) &&
    (filters.model === undefined ||
      item.model_asked === filters.model ||
      item.model_served === filters.model) &&
    same(item.provider, filters.provider) &&
    same(item.key_id, filters.key_id) &&
    within(item.status, status, statusBelow === undefined ? undefined : statusBelow - 1) &&
    same(item.outcome, filters.outcome) &&
    (filters.tag ?? []).every((tag) => item.tags.includes(tag)) &&
    within(micros, filters.min_cost_micros, filters.max_cost_micros) &&
    within(item.latency_ms, filters.min_latency_ms, filters.max_latency_ms) &&
    same(item.conversation_id, filters.conversation) &&
    same(item.dialect, filters.dialect) &&
    same(item.route, filters.route) &&
    same(item.protocol, filters.protocol) &&
    same(item.cache, filters.cache) &&
    isClass(item.classes, filters) &&
    isMcp(item.mcp, filters)
  )
}

function usageOf(row: ExchangeRow) {
  if (row.usage_final === null) return null
  return {
    input: row.input_tokens,
    output: row.output_tokens,
    cache_read: row.cache_read_tokens,
    cache_write: row.cache_write_tokens,
    cache_write_1h: row.cache_write_1h_tokens,
    reasoning: row.reasoning_tokens,
    final: row.usage_final,
  }
}

function milliseconds(difference: number): number {
  return Math.round(difference * 1000) / 1000
}

function same(value: string | null, wanted: string | undefined): boolean {
  return wanted === undefined || value === wanted
}

function within(value: number | null, from: number | undefined, to: number | undefined): boolean {
  if (from === undefined && to === undefined) return true
  return value !== null && value >= (from ?? -Infinity) && value <= (to ?? Infinity)
}
