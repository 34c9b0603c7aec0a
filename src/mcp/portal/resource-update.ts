import { withMember } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { PortalError } from './errors.ts'
import { findResource } from './find-resource.ts'
import type { Change, Client } from './portal.ts'
import type { Source } from './source.ts'
import { portalUri } from './uris.ts'

type Update = { source: Source; uri: string; params: string; uris: ReadonlySet<string> }

/**
 * What a client is told of a changed resource, by the URI under which it asked for news; null: it did not, or may
 * not.
 */
export function renamedUpdate(
  audience: Audience,
  client: Client,
  { source, uri, params, uris }: Update,
): Change | null {
  for (const named of [uri, portalUri(source.server.name, uri)]) {
    if (!uris.has(named)) continue
    try {
      const found = findResource(client, audience, named)
      if (found.source !== source || found.uri !== uri) continue
      return {
        kind: 'resource',
        params: named === uri ? params : withMember(params, 'uri', JSON.stringify(named)),
      }
    } catch (error) {
      if (!(error instanceof PortalError)) throw error
    }
  }
  return null
}
