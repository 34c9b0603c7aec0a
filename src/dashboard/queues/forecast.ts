import type { QueueView } from './view.ts'

/** What of a queue is still to be done, at a time in ms. */
export type Backlog = { at: number; size: number }

const lookedBackMs = 5 * 60_000
/** Less than this says nothing of the pace. */
const leastMs = 6_000

export type Forecast = Pick<QueueView, 'trend' | 'drains_in_s'>

/** Where a backlog is heading, by its own sizes: what comes in is so taken into account. */
export function forecast(history: readonly Backlog[]): Forecast {
  const last = history.at(-1)
  if (last === undefined || last.size === 0) return { trend: 'idle', drains_in_s: null }
  const first = history[0] ?? last
  const seconds = (last.at - first.at) / 1_000
  if (seconds * 1_000 < leastMs) return { trend: 'steady', drains_in_s: null }
  const perSecond = (first.size - last.size) / seconds
  // A hundredth of the backlog a minute is standing still.
  if (Math.abs(perSecond) * 60 < last.size / 100) return { trend: 'steady', drains_in_s: null }
  if (perSecond < 0) return { trend: 'growing', drains_in_s: null }
  return { trend: 'draining', drains_in_s: Math.round(last.size / perSecond) }
}

export function remember(history: Backlog[], size: number, at = Date.now()): void {
  history.push({ at, size })
  while ((history[0]?.at ?? at) < at - lookedBackMs) history.shift()
}
