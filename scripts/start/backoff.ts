const firstMs = 500
const longestMs = 30_000
const healthyMs = 60_000

/** How long to wait before each restart: doubles up to half a minute, and begins anew after a healthy minute. */
export function backoff(): (livedMs: number) => number {
  let waitMs = firstMs
  return (livedMs) => {
    if (livedMs >= healthyMs) waitMs = firstMs
    const chosen = waitMs
    waitMs = Math.min(waitMs * 2, longestMs)
    return chosen
  }
}
