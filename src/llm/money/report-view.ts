import { usd } from './refusals.ts'
import type { ReportRow, Sums } from './report.ts'

/** Sums as routes and tools show them. */

/** The values of what it is by. */
export function named(row: ReportRow, by: readonly string[]) {
  return Object.fromEntries(by.map((one) => [one, row[one] ?? null]))
}

export function tokens(row: Sums) {
  const { calls, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens } = row
  const total_tokens = input_tokens + output_tokens + cache_read_tokens + cache_write_tokens
  return {
    calls,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_tokens,
    reasoning_tokens,
    total_tokens,
  }
}

export function costs(row: Sums) {
  return {
    ...tokens(row),
    cost: usd(row.cost_micros),
    currency: 'USD' as const,
    unpriced_calls: row.unpriced,
  }
}
