import type { InternalKeys } from '#access'

/**
 * A call that originates in Sluice, sent through the gateway so that it is on record like any other: with the tag
 * `sluice-internal`, for that tenant. The URL's path says where to, as in `/p/anthropic/v1/messages`; its host and
 * any credential are replaced.
 */
export type InternalCalls = (tenant: string) => (request: Request) => Promise<Response>

/** How long a gateway may take to learn of a new key. */
const learningMs = 3_000
const againMs = 200

/** Sent to the gateway like anybody's: routed, counted and recorded there, for the tenant that they are about. */
export function internalCalls({
  gatewayUrl,
  keys,
}: {
  gatewayUrl: string
  keys: InternalKeys
}): InternalCalls {
  return (tenant) => async (request) => {
    const { pathname, search } = new URL(request.url)
    const headers = new Headers(request.headers)
    for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) headers.delete(name)
    headers.set('authorization', `Bearer ${await keys.of(tenant)}`)
    const { method, signal } = request
    const body = method === 'GET' ? null : await request.arrayBuffer()
    const until = performance.now() + learningMs
    for (;;) {
      const response = await fetch(`${gatewayUrl}${pathname}${search}`, { method, headers, body, signal })
      if (response.status !== 401 || performance.now() > until) return response
      await response.body?.cancel()
      await Bun.sleep(againMs)
    }
  }
}
