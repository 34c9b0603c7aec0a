import type { InternalKeys, Principal } from '#access'
import type { LlmProxy } from '../proxy-options.ts'
import { namedTarget, nativeTarget, pathOf, type Target } from '../target.ts'
import type { Send } from './adapter.ts'

/**
 * Calls that Sluice makes itself, for somebody: by the gateway's rules, counted and recorded as anybody's. Providers
 * see the gateway's keys. The URL's path says where to, as in `/p/anthropic/v1/messages`; its host and any credential
 * are replaced.
 */
export type OwnCalls<Who> = (who: Who) => Send

/** In the gateway itself: for somebody who was authorised before, straight through the proxy. `of`: what they are. */
export function ownCalls(
  proxy: Pick<LlmProxy, 'handle'>,
  of: Pick<Target, 'part'> = {},
): OwnCalls<Principal> {
  return (principal) => (request) => {
    const path = pathOf(request.url)
    const target = path.startsWith('/p/') ? namedTarget(path) : nativeTarget(path, request.headers)
    return proxy.handle(request, { ...target, ...of, caller: { principal, passThrough: false } }, null)
  }
}

/** How long a gateway may take to learn of a new key. */
const learningMs = 3_000
const againMs = 200

/** From another process: over HTTP, with a key of the tenant that it is about, and the tag `sluice-internal`. */
export function ownCallsOver({
  gatewayUrl,
  keys,
}: {
  gatewayUrl: string
  keys: InternalKeys
}): OwnCalls<string> {
  return (tenant) => async (request) => {
    const headers = new Headers(request.headers)
    for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) headers.delete(name)
    headers.set('authorization', `Bearer ${await keys.of(tenant)}`)
    const { method, signal } = request
    const body = method === 'GET' ? null : await request.arrayBuffer()
    const until = performance.now() + learningMs
    for (;;) {
      const response = await fetch(gatewayUrl + pathOf(request.url), { method, headers, body, signal })
      if (response.status !== 401 || performance.now() > until) return response
      await response.body?.cancel()
      await Bun.sleep(againMs)
    }
  }
}
