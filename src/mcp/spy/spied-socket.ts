import type { Authorise } from '#access'
import type { UpgradeServer } from '#lib/server-socket'
import { whileWelcome } from '../edge/identify.ts'
import type { McpEdge } from '../edge/open-edge.ts'
import type { Servers } from '../servers/servers.ts'
import type { Hold, Spy } from './open-spy.ts'
import { spiedServer } from './spied.ts'

export type SpiedSocketOptions = Pick<McpEdge, 'places' | 'heartbeat'> & {
  name: string
  server: UpgradeServer | null
  spy: Spy
  servers: Servers
  authorise: Authorise
}

/**
 * A spied connection for who has a key: it counts among the key's streams, and does not outlive it.
 * @throws SluiceError as `Spy.handle`; 401, 403, 404; Refusal 429
 */
export async function spiedSocket(request: Request, options: SpiedSocketOptions): Promise<Response> {
  const { name, server, spy, servers, authorise, places, heartbeat } = options
  const again = new Request(request.url, { headers: [...request.headers] })
  const visit = () => authorise(again, 'call')
  const principal = visit()
  const backend = spiedServer(servers, principal, name)
  const giveBack = places.take({ principal })
  let isHeld = false
  const hold: Hold = (end) => {
    isHeld = true
    const leave = whileWelcome(visit, heartbeat, end)
    return () => {
      leave()
      giveBack()
    }
  }
  try {
    return await spy.handle(request, { server, principal, backend, hold })
  } finally {
    if (!isHeld) giveBack()
  }
}
