import type { Principal } from '#access'
import { SluiceError } from '#lib/errors'
import type { Servers } from '../servers/servers.ts'
import type { SpyBackend } from './open-spy.ts'

/**
 * The server of that name that may be spied on. It is passed through as a whole: who may not call all of it, by
 * allowance, may not come here; denials of single tools are not looked for in its frames.
 * @throws SluiceError 404 where there is none that this principal may see; 503 where it cannot be used
 */
export function spiedServer(
  servers: Pick<Servers, 'find' | 'sight'>,
  principal: Principal,
  name: string,
): SpyBackend {
  const found = servers.find(principal.tenant, name)
  const { sees, mayCall } = servers.sight(principal)
  if (
    found === null ||
    !found.enabled ||
    !found.spy ||
    found.url === null ||
    !sees(name, '') ||
    !mayCall(name, '')
  ) {
    throw new SluiceError(404, 'unknown-server', 'There is no such server to be spied on')
  }
  if (found.problem !== null) {
    throw new SluiceError(503, 'server-unusable', `${found.name} cannot be used: ${found.problem}`)
  }
  return { name: found.name, url: found.url, headers: found.headers }
}
