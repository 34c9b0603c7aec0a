/** What is looked at over time: one reading a minute, the lowest of the minute, so that what is collected does not count. */
export type Series = { name: string; unit: string; perMinute: number[]; allowedPerHour: number }

export type Trend = Series & {
  first: number
  last: number
  perHour: number
  /** Standard error of `perHour`. */
  error: number
  /** Would it rise by more than is allowed, even at the lower edge of what the readings bear out? */
  grows: boolean
}

/** By least squares, over what comes after the warm-up. A straight line of fewer than three readings says nothing. */
export function trendOf(series: Series, warmUpMinutes: number): Trend {
  const values = series.perMinute.slice(warmUpMinutes)
  const { slope, error } = leastSquares(values)
  const perHour = slope * 60
  const errorPerHour = error * 60
  return {
    ...series,
    ...{ first: values[0] ?? Number.NaN, last: values.at(-1) ?? Number.NaN, perHour, error: errorPerHour },
    grows: values.length >= 3 && perHour - 2 * errorPerHour > series.allowedPerHour,
  }
}

/** Slope by reading, and its standard error. */
export function leastSquares(values: readonly number[]): { slope: number; error: number } {
  const count = values.length
  if (count < 3) return { slope: 0, error: Infinity }
  const middle = (count - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  let spread = 0
  let shared = 0
  values.forEach((value, at) => {
    spread += (at - middle) ** 2
    shared += (at - middle) * (value - mean)
  })
  const slope = shared / spread
  const rest = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0)
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) }
}
