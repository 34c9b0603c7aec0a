import type { Effort, Reasoning } from './model.ts'

/** Tokens for an effort, where a target asks for a budget. Each budget gives its own effort back. */
const budgets: Record<Effort, number> = {
  none: 0,
  minimal: 1_024,
  low: 4_096,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
  max: 64_000,
}

const rising: Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

export function effortOf(word: string | null): Effort | null {
  return rising.find((effort) => effort === word) ?? null
}

/** The tokens to think with; null where the request leaves it to the model. */
export function budgetFor({ effort, budget }: Reasoning): number | null {
  return budget ?? (effort === null ? null : budgets[effort])
}

/**
 * The effort of a request; null where it leaves it to the model. A budget below that of `low` is still `low`,
 * not `minimal`: only few models know that word.
 */
export function effortFor({ effort, budget }: Reasoning): Effort | null {
  if (effort !== null || budget === null || budget < 0) return effort
  if (budget === 0) return 'none'
  if (budget < budgets.medium) return 'low'
  return rising.findLast((one) => budgets[one] <= budget) ?? 'low'
}
