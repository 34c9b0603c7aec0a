/** Knows when storing pauses, so that what can wait does. */
export type Quiet = {
  /** Runs work that others should wait for. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Resolves when no such work runs, or after `limitMs`: nothing waits for ever. */
  pause(limitMs: number): Promise<void>
}

export function quietTimes(): Quiet {
  const waiting = new Set<() => void>()
  let running = 0

  return {
    async during(work) {
      running += 1
      try {
        return await work()
      } finally {
        running -= 1
        if (running === 0) for (const go of waiting) go()
      }
    },
    pause(limitMs) {
      if (running === 0) return Promise.resolve()
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
}
