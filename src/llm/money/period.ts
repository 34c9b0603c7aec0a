/** Of a budget: a UTC day, a UTC month, or all time. */
export type Period = 'day' | 'month' | 'total'

/** The first moment of the period that a time lies in; ms since the epoch. */
export function periodStart(period: Period, at: number): number {
  if (period === 'total') return 0
  const date = new Date(at)
  const day = period === 'day' ? date.getUTCDate() : 1
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)
}

/** The first moment of the next; null where there is none. */
export function periodEnd(period: Period, start: number): number | null {
  if (period === 'total') return null
  const date = new Date(start)
  return period === 'day' ? start + 86_400_000 : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}
