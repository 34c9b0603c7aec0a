/**
 * So many turns a minute, given out evenly with a few at once. In this process: with several workers each has its
 * own share to give.
 */
export function openTurns(perMinute: number): (patient: boolean, signal: AbortSignal) => Promise<boolean> {
  const most = Math.max(1, Math.min(10, perMinute / 6))
  const everyMs = 60_000 / perMinute
  let left = most
  let at = performance.now()

  function refill(): void {
    const time = performance.now()
    left = Math.min(most, left + (time - at) / everyMs)
    at = time
  }

  return async (patient, signal) => {
    for (;;) {
      refill()
      if (left >= 1) {
        left -= 1
        return true
      }
      if (!patient || signal.aborted) return false
      await Bun.sleep(Math.min(1_000, (1 - left) * everyMs))
    }
  }
}
