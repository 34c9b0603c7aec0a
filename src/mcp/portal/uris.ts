import { matchesParts } from '../servers/wildcard.ts'

/** URIs of resources stay as they are where one server has them; of others this is a form that leads to the server. */
const scheme = 'portal://'

export function portalUri(server: string, uri: string): string {
  return `${scheme}${server}/${uri}`
}

/** Null where it is none of ours. */
export function readPortalUri(uri: string): { server: string; uri: string } | null {
  if (!uri.startsWith(scheme)) return null
  const slash = uri.indexOf('/', scheme.length)
  if (slash === -1) return null
  return { server: uri.slice(scheme.length, slash), uri: uri.slice(slash + 1) }
}

/** Could a URI have been made from that template (RFC 6570)? An expression may stand for anything. */
export function templateMatcher(template: string): (uri: string) => boolean {
  const parts = template.split(/\{[^{}]*\}/)
  return (uri) => matchesParts(parts, uri)
}
