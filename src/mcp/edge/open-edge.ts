import type { Edge, StreamServer } from './edge.ts'
import type { GuardOptions } from './guard.ts'
import { openGuard } from './guard.ts'
import { startHeartbeat } from './heartbeat.ts'
import { handleHttp } from './http.ts'
import type { Target } from './identify.ts'
import { openSubscriptions } from './subscriptions.ts'

export type McpEdge = {
  /** MCP over Streamable HTTP. Never rejects. */
  handle(request: Request, where: { target: Target; server: StreamServer }): Promise<Response>
  /** How many clients listen, and calls stream, just now. */
  open(): { sessions: number; subscriptions: number; streams: number }
  close(): Promise<void>
}

export type EdgeOptions = Omit<
  Edge,
  'guard' | 'heartbeat' | 'subscriptions' | 'streams' | 'calls' | 'limits'
> & {
  guard: GuardOptions
  limits?: Edge['limits']
  /** @default 5_000 */
  heartbeatMs?: number
}

/** So long calls under way may take to end when the gateway stops. */
const drainMs = 2_500

/** Opens the portal's doors to clients. Sessions are closed with it, the portal is not. */
export function openEdge({ guard, limits = {}, heartbeatMs, ...given }: EdgeOptions): McpEdge {
  const heartbeat = startHeartbeat(heartbeatMs)
  const subscriptions = openSubscriptions(given.portal)
  const edge: Edge = {
    ...{ ...given, guard: openGuard(guard), limits, heartbeat, subscriptions, streams: new Map() },
    calls: new Set(),
  }
  return {
    handle: (request, where) => handleHttp(edge, request, where),
    open: () => ({
      sessions: edge.sessions.size(),
      subscriptions: subscriptions.size(),
      streams: edge.streams.size,
    }),
    async close() {
      subscriptions.close()
      await edge.sessions.close()
      await Promise.race([Promise.all(edge.calls), Bun.sleep(drainMs)])
      heartbeat.stop()
    },
  }
}
