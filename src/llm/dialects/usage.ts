import type { Usage } from '#capture'

/** The counts of one answer, before it is known whether they are the last. */
export type Tokens = Omit<Usage, 'final'>

/** For dialects whose count of input includes what came from and went to a cache: takes both out of it. */
export function withoutCache(
  total: number | null,
  read: number | null,
  written: number | null,
): number | null {
  return total === null ? null : Math.max(0, total - (read ?? 0) - (written ?? 0))
}

/** Adds the counts of separate answers; never of the cumulative counts within one. */
export function addTokens(a: Tokens | null, b: Tokens | null): Tokens | null {
  if (a === null || b === null) return a ?? b
  return {
    input: add(a.input, b.input),
    output: add(a.output, b.output),
    cache_read: add(a.cache_read, b.cache_read),
    cache_write: add(a.cache_write, b.cache_write),
    cache_write_1h: add(a.cache_write_1h, b.cache_write_1h),
    reasoning: add(a.reasoning, b.reasoning),
  }
}

function add(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0)
}
