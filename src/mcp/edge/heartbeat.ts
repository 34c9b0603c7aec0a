/** One timer for all open streams. */
export type Heartbeat = {
  /** Calls it every few seconds, until the function returned is called. */
  add(beat: (now: number) => void): () => void
  stop(): void
}

/** @param everyMs at most half of what clients and proxies in between may wait for a sign of life */
export function startHeartbeat(everyMs = 5_000): Heartbeat {
  const beats = new Set<(now: number) => void>()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const beat of [...beats]) beat(now)
  }, everyMs)
  timer.unref()
  return {
    add(beat) {
      beats.add(beat)
      return () => beats.delete(beat)
    },
    stop: () => clearInterval(timer),
  }
}
