import type { UpgradeServer } from '#lib/server-socket'
import type { Edge, StreamServer } from './edge.ts'
import { type Guard, type GuardOptions, openGuard } from './guard.ts'
import { type Heartbeat, startHeartbeat } from './heartbeat.ts'
import { handleHttp } from './http.ts'
import type { Target } from './identify.ts'
import { type OldSse, openOldSse } from './old-sse.ts'
import { openPlaces, type Places } from './places.ts'
import { openSubscriptions } from './subscriptions.ts'
import { openSockets } from './websocket.ts'

export type McpEdge = {
  /** MCP over Streamable HTTP. Never rejects. */
  handle(request: Request, where: { target: Target; server: StreamServer }): Promise<Response>
  /** MCP over WebSocket. Never throws. */
  socket(request: Request, server: UpgradeServer | null): Response
  /** The transport of 2024-11-05. */
  sse: Pick<OldSse, 'listen' | 'take'>
  /** @throws Refusal 403 where its host or origin may not be here */
  guard: Guard
  places: Places
  heartbeat: Pick<Heartbeat, 'add'>
  /** How many clients listen, and calls stream, just now. */
  open(): { sessions: number; subscriptions: number; streams: number; sockets: number }
  close(): Promise<void>
}

export type EdgeOptions = Omit<
  Edge,
  'guard' | 'heartbeat' | 'subscriptions' | 'streams' | 'calls' | 'limits' | 'places'
> & {
  guard: GuardOptions
  /** Streams and sockets that a key may have open. @default 2_000 */
  streamsPerKey?: number
  limits?: Edge['limits']
  /** @default 5_000 */
  heartbeatMs?: number
}

/** So long calls under way may take to end when the gateway stops. */
const drainMs = 2_500

/** Opens the portal's doors to clients. Sessions are closed with it, the portal is not. */
export function openEdge(options: EdgeOptions): McpEdge {
  const { guard, limits = {}, heartbeatMs, streamsPerKey = 2_000, ...given } = options
  const heartbeat = startHeartbeat(heartbeatMs)
  const subscriptions = openSubscriptions(given.portal)
  const edge: Edge = {
    ...{ ...given, guard: openGuard(guard), limits, heartbeat, subscriptions, streams: new Map() },
    ...{ calls: new Set(), places: openPlaces(streamsPerKey) },
  }
  const sockets = openSockets(edge)
  const sse = openOldSse(edge)
  return {
    ...{ sse, guard: edge.guard, socket: sockets.handle, places: edge.places, heartbeat },
    handle: (request, where) => handleHttp(edge, request, where),
    open: () => ({
      sessions: edge.sessions.size(),
      subscriptions: subscriptions.size(),
      streams: edge.streams.size,
      sockets: sockets.count(),
    }),
    async close() {
      subscriptions.close()
      sockets.close()
      sse.close()
      await edge.sessions.close()
      await Promise.race([Promise.all(edge.calls), Bun.sleep(drainMs)])
      heartbeat.stop()
    },
  }
}
