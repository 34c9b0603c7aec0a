import { clipped } from './bounded.ts'
import type { Column } from './insert.ts'
import type { Item } from './item.ts'

export type ExchangeRow = {
  item: Item
  spool: string
  conversation: string | null
}

/** What a rebuild may find differently. */
export const derivedColumns: Column<ExchangeRow>[] = [
  { name: 'conversation_id', kind: 'uuid', value: (row) => row.conversation },
  { name: 'model_asked', kind: 'text', value: ({ item }) => item.means.model_asked },
  { name: 'model_served', kind: 'text', value: ({ item }) => item.means.model_served },
  { name: 'streamed', kind: 'flag', value: ({ item }) => item.means.streamed },
  { name: 'outcome', kind: 'text', value: ({ item }) => outcomeOf(item) },
  { name: 'error', kind: 'text', value: ({ item }) => item.exchange.end.error ?? item.means.error },
  { name: 'input_tokens', kind: 'number', value: ({ item }) => item.means.usage?.input ?? null },
  { name: 'output_tokens', kind: 'number', value: ({ item }) => item.means.usage?.output ?? null },
  { name: 'cache_read_tokens', kind: 'number', value: ({ item }) => item.means.usage?.cache_read ?? null },
  { name: 'cache_write_tokens', kind: 'number', value: ({ item }) => item.means.usage?.cache_write ?? null },
  {
    name: 'cache_write_1h_tokens',
    kind: 'number',
    value: ({ item }) => item.means.usage?.cache_write_1h ?? null,
  },
  { name: 'reasoning_tokens', kind: 'number', value: ({ item }) => item.means.usage?.reasoning ?? null },
  { name: 'usage_final', kind: 'flag', value: ({ item }) => item.means.usage?.final ?? null },
]

export const costColumns: Column<ExchangeRow>[] = [
  { name: 'cost_micros', kind: 'number', value: ({ item }) => item.means.cost?.micros ?? null },
  { name: 'currency', kind: 'text', value: ({ item }) => item.means.cost?.currency ?? null },
  { name: 'price_version', kind: 'text', value: ({ item }) => item.means.cost?.price_version ?? null },
]

export const idColumn: Column<ExchangeRow> = { name: 'id', kind: 'uuid', value: ({ item }) => item.id }

export const exchangeColumns: Column<ExchangeRow>[] = [
  idColumn,
  { name: 'tenant', kind: 'text', value: ({ item }) => item.tenant },
  { name: 'key_id', kind: 'text', value: ({ item }) => clipped(item.exchange.open.key_id) },
  { name: 'tags', kind: 'texts', value: ({ item }) => item.exchange.open.tags.map(clipped) },
  { name: 'mode', kind: 'text', value: ({ item }) => item.exchange.open.mode },
  { name: 'protocol', kind: 'text', value: ({ item }) => item.exchange.open.protocol },
  { name: 'method', kind: 'text', value: ({ item }) => item.exchange.open.method },
  { name: 'path', kind: 'text', value: ({ item }) => item.exchange.open.path },
  { name: 'dialect', kind: 'text', value: ({ item }) => item.exchange.open.dialect },
  { name: 'provider', kind: 'text', value: ({ item }) => clipped(providerOf(item)) },
  { name: 'status', kind: 'number', value: ({ item }) => item.exchange.end.status },
  { name: 'started_at', kind: 'time', value: ({ item }) => item.exchange.open.started_at },
  { name: 'first_byte_at', kind: 'time', value: ({ item }) => item.exchange.end.first_byte_at },
  { name: 'ended_at', kind: 'time', value: ({ item }) => item.exchange.end.ended_at },
  { name: 'request_sha256', kind: 'bytes', value: ({ item }) => item.requestSha256 },
  { name: 'response_sha256', kind: 'bytes', value: ({ item }) => item.responseSha256 },
  { name: 'request_bytes', kind: 'number', value: ({ item }) => item.exchange.end.request_bytes },
  { name: 'response_bytes', kind: 'number', value: ({ item }) => item.exchange.end.response_bytes },
  { name: 'replay_of', kind: 'uuid', value: ({ item }) => item.exchange.open.replay_of ?? null },
  { name: 'spool', kind: 'text', value: (row) => row.spool },
  { name: 'seq', kind: 'number', value: ({ item }) => item.exchange.end.seq },
  { name: 'route', kind: 'text', value: ({ item }) => clipped(item.exchange.end.routed?.route ?? null) },
  { name: 'attempts', kind: 'json', value: ({ item }) => attemptsOf(item) },
  { name: 'warnings', kind: 'texts', value: ({ item }) => warningsOf(item) },
  { name: 'cache', kind: 'text', value: ({ item }) => item.exchange.end.cache ?? null },
  ...derivedColumns,
  ...costColumns,
]

/** Who served, where the gateway chose; else whom the client named. */
export function providerOf({ exchange: { open, end } }: Item): string | null {
  return end.routed?.provider ?? open.provider
}

function attemptsOf({ exchange: { end } }: Item): string | null {
  return end.routed === undefined ? null : JSON.stringify(end.routed.attempts.slice(0, mostAttempts))
}

/** Null where nothing was translated, and all could be read. */
function warningsOf({ exchange: { end }, means }: Item): readonly string[] | null {
  const { warnings: unread } = means
  if (end.routed === undefined && unread === undefined) return null
  return [...(end.routed?.warnings.slice(0, mostAttempts) ?? []), ...(unread ?? [])].map(clipped)
}

const mostAttempts = 100

/** An error inside of a stream that began with a 200 is known only to who reads it. */
function outcomeOf({ exchange, means }: Item): string {
  const { outcome } = exchange.end
  return outcome === 'completed' && means.error !== null ? 'upstream_error' : outcome
}
