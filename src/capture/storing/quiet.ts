/** Knows when storing pauses, so that what can wait does. */
export type Quiet = {
  /** Runs work that others should wait for. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when no such work has run for a moment, or after `limitMs`: nothing waits for ever. */
  pause(limitMs: number): Promise<void>
}

/** @param momentMs by default longer than it takes to fetch the next batch where one waits: that is no pause */
export function quietTimes(momentMs = 25): Quiet {
  const waiting = new Set<() => void>()
  let running = 0
  let endedAt = Number.NEGATIVE_INFINITY
  let moment: Timer | undefined

  return {
    async during(work) {
      running += 1
      clearTimeout(moment)
      try {
        return await work()
      } finally {
        running -= 1
        if (running === 0) quieten()
      }
    },
    pause(limitMs) {
      if (running === 0 && performance.now() - endedAt >= momentMs) return Promise.resolve()
      return new Promise((resolve) => {
        const timer = setTimeout(go, limitMs)
        waiting.add(go)
        function go(): void {
          clearTimeout(timer)
          waiting.delete(go)
          resolve()
        }
      })
    },
  }

  /** Whoever waits now or begins to within the moment goes on at its end, unless there is work again. */
  function quieten(): void {
    endedAt = performance.now()
    moment = setTimeout(() => {
      for (const go of waiting) go()
    }, momentMs)
  }
}
