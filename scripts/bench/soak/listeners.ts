import { modernHeaders, modernMeta } from '../mcp/frames.ts'
import { auth } from '../record.ts'
import type { RunningSluice } from '../sluice.ts'

const howMany = 12
/** Long enough that most of them hear of something, short enough that many come and go in an hour. */
const openMs = 20_000

/**
 * Clients that listen: to MCP's lists, to the live tail, to the dashboard's queues. Each goes away after 20 s and is
 * followed by another. Returns how to end it.
 */
export function startListeners(sluice: RunningSluice): () => Promise<void> {
  const over = new AbortController()
  const loops = Array.from({ length: howMany }, (_, number) => listen(number))
  return async () => {
    over.abort()
    await Promise.all(loops)
  }

  async function listen(number: number): Promise<void> {
    // Not all at the same time.
    await pause((openMs * number) / howMany)
    while (!over.signal.aborted) {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(openMs)])
      await heard(number, signal).catch(() => {})
      if (!signal.aborted) await pause(1_000)
    }
  }

  async function heard(number: number, signal: AbortSignal): Promise<void> {
    const path = ['/mcp', '/api/tail', '/mcp', '/api/queues/live'][number % 4] ?? ''
    const init = path === '/mcp' ? subscription : { headers: {} }
    const headers = { ...init.headers, ...auth(sluice) }
    const answer = await fetch(sluice.url + path, { ...init, headers, signal })
    for await (const _ of answer.body ?? []);
  }

  function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    over.signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    return promise
  }
}

const subscription = {
  method: 'POST',
  headers: { ...modernHeaders('subscriptions/listen'), 'content-type': 'application/json' },
  body: JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' },
    params: { notifications: { toolsListChanged: true }, _meta: modernMeta },
  }),
}
