const firstMs = 100
const longestMs = 30_000
const healthyMs = 10_000

/**
 * How long to wait before each restart: doubles up to half a minute, and begins anew after ten healthy seconds. Nobody
 * is served while a gateway waits, so that what died once by accident is back at once.
 */
export function backoff(): (livedMs: number) => number {
  let waitMs = firstMs
  return (livedMs) => {
    if (livedMs >= healthyMs) waitMs = firstMs
    const chosen = waitMs
    waitMs = Math.min(waitMs * 2, longestMs)
    return chosen
  }
}
