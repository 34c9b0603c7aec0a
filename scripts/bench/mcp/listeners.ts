import { prepare } from '../http-client.ts'
import { modernHeaders, modernMeta } from './frames.ts'

export type ToldFigures = { listeners: number; told: number; p50Ms: number; lastMs: number }

/**
 * Opens that many `subscriptions/listen` streams, changes something, and measures when each is told.
 * @throws Error where not all are open within 30 s
 */
export async function measureTold(
  { port, headers, listeners }: { port: number; headers: Record<string, string>; listeners: number },
  change: () => Promise<void>,
): Promise<ToldFigures> {
  const own = { ...modernHeaders('subscriptions/listen'), ...headers }
  const params = { notifications: { toolsListChanged: true }, _meta: modernMeta }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params })
  const request = prepare('/mcp', `127.0.0.1:${port}`, own, body)
  const toldAt: number[] = []
  let open = 0
  const sockets = await Promise.all(
    Array.from({ length: listeners }, () => {
      let heard = ''
      let isOpen = false
      return Bun.connect({
        ...{ hostname: '127.0.0.1', port },
        socket: {
          data(_, chunk) {
            heard += chunk.toString('latin1')
            if (!isOpen && heard.includes('subscriptions/acknowledged')) {
              isOpen = true
              open += 1
            }
            if (heard.includes('tools/list_changed')) toldAt.push(performance.now())
            heard = isOpen ? heard.slice(-30).replace('tools/list_changed', '') : heard
          },
        },
      })
    }),
  )
  try {
    for (const socket of sockets) socket.write(request)
    await reached(
      () => open === listeners,
      30_000,
      () => `${open} of ${listeners} streams are open`,
    )
    const began = performance.now()
    await change()
    await reached(() => toldAt.length >= listeners, 10_000).catch(() => {})
    const delays = toldAt.slice(0, listeners).map((at) => at - began)
    return {
      ...{ listeners, told: delays.length },
      ...{ p50Ms: delays[Math.floor(delays.length / 2)] ?? 0, lastMs: delays.at(-1) ?? 0 },
    }
  } finally {
    for (const socket of sockets) socket.terminate()
  }
}

async function reached(is: () => boolean, timeoutMs: number, found = () => ''): Promise<void> {
  for (const deadline = performance.now() + timeoutMs; !is(); await Bun.sleep(2))
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs / 1_000} s: ${found()}`)
}
