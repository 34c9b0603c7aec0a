import { calcPrice, type ModelPrice, type Provider } from '@pydantic/genai-prices'
import type { Usage } from '#capture'

/** Micro-units a token for what is counted in a usage: one row of a price. */
type Row = {
  above: number
  fresh: number
  read: number
  write: number
  hour: number
  out: number
  reason: number
}

/** One price of one model, made ready: what it takes for a usage is a few multiplications. */
export type Rates = {
  /** Lowest first; a request of more tokens than `above` has that row's rates. */
  rows: readonly Row[]
  /** Micro-units a call. */
  call: number
}

/** Tokens of a usage, apart from each other. Null where they make no sense. */
type Counts = Omit<Row, 'above'> & { input: number }

/**
 * The price of a model as rates; null where it is not as simple as that, and the list's own calculation is needed.
 * Proven before it is used: the calculation is asked for every kind of token on every row, and must agree.
 */
export function ratesOf({
  price,
  provider,
  model,
  at,
}: {
  price: ModelPrice
  provider: Provider
  model: string
  at: Date
}): Rates | null {
  const starts = new Set([0])
  for (const value of Object.values(price))
    if (typeof value === 'object') for (const { start } of value.tiers) starts.add(start)
  const rows = [...starts].sort((a, b) => a - b).map((above) => rowOf(price, above))
  const { requests_kcount: perThousand = 0 } = price
  if (typeof perThousand !== 'number') return null
  const rates = { rows, call: perThousand * 1_000 }
  const agrees = (usage: Usage) => {
    const counts = countsOf(usage)
    if (counts === null) return false
    const result = calcPrice(listCounts(counts), model, { provider, timestamp: at })
    return result !== null && Math.abs(result.total_price * 1e6 - microsAt(rates, counts)) < 1e-6
  }
  try {
    const sizes = rows.flatMap(({ above }) => [above, above + 1, above + 1_000])
    return sizes.every((input) => probes(input).every(agrees)) ? rates : null
  } catch {
    return null
  }
}

/** Exact up to what floats are: far below a millionth of a micro-unit for calls of up to thousands of dollars. */
export function microsOf(rates: Rates, usage: Usage): number | null {
  const counts = countsOf(usage)
  return counts === null ? null : microsAt(rates, counts)
}

/** As the list names them; it counts what came from and went to the cache as part of the input. */
export function listCounts({ input, read, write, hour, out, reason }: Counts): Record<string, number> {
  return {
    input_tokens: input,
    output_tokens: out + reason,
    cache_read_tokens: read,
    cache_write_tokens: write + hour,
    cache_write_1h_tokens: hour,
    output_reasoning_tokens: reason,
  }
}

export function countsOf(usage: Usage): Counts | null {
  const read = usage.cache_read ?? 0
  const written = usage.cache_write ?? 0
  const fresh = usage.input ?? 0
  const output = usage.output ?? 0
  const hour = Math.min(usage.cache_write_1h ?? 0, written)
  const reason = Math.min(usage.reasoning ?? 0, output)
  const counts = { fresh, read, write: written - hour, hour, out: output - reason, reason }
  const input = fresh + read + written
  for (const count of [fresh, read, counts.write, hour, counts.out, reason])
    if (!(count >= 0) || count === Number.POSITIVE_INFINITY) return null
  return { ...counts, input }
}

function microsAt({ rows, call }: Rates, { input, fresh, read, write, hour, out, reason }: Counts): number {
  let row = rows[0]
  for (const one of rows) if (input > one.above) row = one
  if (row === undefined) return Number.NaN
  return (
    fresh * row.fresh +
    read * row.read +
    write * row.write +
    hour * row.hour +
    out * row.out +
    reason * row.reason +
    call
  )
}

/** What has no price of its own costs what it is part of. */
function rowOf(price: ModelPrice, above: number): Row {
  const rate = (key: string): number | undefined => {
    const value = price[key]
    if (typeof value !== 'object') return value
    return value.tiers.reduce((found, tier) => (above >= tier.start ? tier.price : found), value.base)
  }
  const fresh = rate('input_mtok') ?? 0
  const write = rate('cache_write_mtok') ?? fresh
  const out = rate('output_mtok') ?? 0
  return {
    ...{
      above,
      fresh,
      read: rate('cache_read_mtok') ?? fresh,
      write,
      hour: rate('cache_write_1h_mtok') ?? write,
    },
    ...{ out, reason: rate('output_reasoning_mtok') ?? out },
  }
}

/** Every kind of token alone, and all together, in requests of so many tokens. */
function probes(input: number): Usage[] {
  const none = {
    input: 0,
    output: 0,
    cache_read: 0,
    cache_write: 0,
    cache_write_1h: 0,
    reasoning: 0,
    final: true,
  }
  const part = Math.floor(input / 4)
  return [
    { ...none, input },
    { ...none, cache_read: input },
    { ...none, cache_write: input },
    { ...none, cache_write: input, cache_write_1h: input },
    { ...none, input, output: 1_003 },
    { ...none, input, output: 1_003, reasoning: 1_003 },
    {
      ...{ input: input - 3 * part, cache_read: part, cache_write: 2 * part, cache_write_1h: part },
      ...{ output: 1_003, reasoning: 501, final: true },
    },
  ]
}
