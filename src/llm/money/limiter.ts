import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { RateLimit } from './budget.ts'
import { exchangeCounts } from './limiter-query.ts'
import { limited } from './refusals.ts'
import { Window } from './window.ts'

/**
 * Rate limits, decided in memory. Each gateway knows its own calls at once and those of the others as of the last
 * exchange of counts, so a limit can be passed by what the other gateways admit within one exchange (250 ms), and
 * while the database is down each gateway keeps it by itself. Ours, as a limiter library asks Redis or Postgres at
 * every call: 2.5 and 7.5 ms by the figures of rate-limiter-flexible, where a look here takes 1 µs.
 */
export type Limiter = {
  /**
   * Counts a call, with the tokens that it sends.
   * @throws SluiceError 429 `rate-limited`; nothing is counted then
   */
  count(limits: readonly RateLimit[], call: CountedCall): Counted
  close(): Promise<void>
}

/** `requests` is 1, or 0 for a part of a call that was counted; `at` in ms since the epoch. */
export type CountedCall = { requests: 0 | 1; tokens: number; at: number }

export type Counted = {
  headers: Record<string, string>
  /** The tokens of the answer, and what the first guess was off. */
  add(tokens: number): void
}

export type LimiterOptions = {
  sql: Sql
  log: Logger
  /** @default 250 */
  tickMs?: number
}

export function openLimiter({ sql, log, tickMs = 250 }: LimiterOptions): Limiter {
  const windows = new Map<string, Window>()
  let state: 'up' | 'down' = 'up'
  let running: Promise<void> | null = null
  const timer = setInterval(tick, tickMs)
  timer.unref()

  return {
    count,
    async close() {
      clearInterval(timer)
      await running
    },
  }

  function count(limits: readonly RateLimit[], { requests, tokens, at }: CountedCall): Counted {
    const own = limits.map((limit) => windowOf(limit, at))
    const full = own.find((window) => window.fullFor(at, requests) !== null)
    const what = full?.fullFor(at, requests)
    if (full !== undefined && what != null) {
      const seconds = full.secondsUntilRoom(what, at)
      throw limited(full.limit, { what, seconds, headers: headersOf(own, at) })
    }
    for (const window of own) window.add(requests, tokens)
    return {
      headers: headersOf(own, at),
      add: (more) => {
        for (const window of own) window.add(0, more)
      },
    }
  }

  function windowOf(limit: RateLimit, at: number): Window {
    let window = windows.get(limit.id)
    if (window === undefined) {
      window = new Window(limit)
      windows.set(limit.id, window)
    }
    window.limit = limit
    window.roll(at)
    return window
  }

  function tick(): void {
    if (running !== null) return
    const time = Date.now()
    for (const [id, window] of windows) if (window.isOver(time)) windows.delete(id)
    if (windows.size === 0) return
    running = exchangeCounts(sql, [...windows.values()])
      .then(
        () => {
          state = 'up'
        },
        (error) => {
          if (state === 'up') log.warn({ reason: errorText(error) }, 'rate limits: counts are not exchanged')
          state = 'down'
        },
      )
      .finally(() => {
        running = null
      })
  }
}

/** draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy: "name";q=100;w=60`, `RateLimit: "name";r=12;t=34`. */
function headersOf(windows: readonly Window[], at: number): Record<string, string> {
  const shown = windows.flatMap((window) => window.shown(at))
  return {
    'ratelimit-policy': shown.map(({ name, most, seconds }) => `"${name}";q=${most};w=${seconds}`).join(', '),
    ratelimit: shown.map(({ name, left, resets }) => `"${name}";r=${left};t=${resets}`).join(', '),
  }
}
