import { memberOf } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { noResource } from './errors.ts'
import type { Client } from './portal.ts'
import type { Source } from './source.ts'
import { readPortalUri, templateMatcher } from './uris.ts'

/** `uri` is as the server knows it. */
export type FoundResource = { source: Source; uri: string }

/**
 * The server that a URI leads to: by our own form of it, by the lists, by a template, or because only one server there
 * has resources, or such URIs. A URI is never tried on one server after the other: it may hold a secret.
 * @throws PortalError
 */
export function findResource(client: Client, audience: Audience, uri: string): FoundResource {
  const found = search(audience, uri)
  if (found === null || !audience.sees(found.source, found.uri)) throw noResource(client, uri)
  return found
}

function search({ sources, resources, lists }: Audience, uri: string): FoundResource | null {
  const led = readPortalUri(uri)
  if (led !== null) {
    const source = sources.find(({ server }) => server.name === led.server)
    return source === undefined ? null : { source, uri: led.uri }
  }
  const listed = resources.get(uri)?.source
  if (listed) return { source: listed, uri }
  for (const { name, source } of lists.templates) {
    if (source !== null && templateMatcher(name)(uri)) return { source, uri }
  }
  const able = sources.filter(hasResources)
  const scheme = uri.slice(0, uri.indexOf(':') + 1)
  const alike = able.filter((source) => scheme !== '' && hasScheme(source, scheme))
  const [only, second] = able.length === 1 ? able : alike
  return only === undefined || second !== undefined ? null : { source: only, uri }
}

function hasResources(source: Source): boolean {
  return memberOf(source.catalogue()?.facts.capabilities ?? '{}', 'resources') !== null
}

function hasScheme(source: Source, scheme: string): boolean {
  const lists = source.catalogue()?.lists
  return [...(lists?.resources ?? []), ...(lists?.templates ?? [])].some(({ name }) =>
    name.startsWith(scheme),
  )
}
