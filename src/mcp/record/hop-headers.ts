import { isCredential, withoutKey } from '#lib/credentials'

type HeaderList = readonly (readonly [string, string])[]

/** A path that may be kept: no key in its query, and no part behind `/mcp` that could be a capability. */
export function keptPath(path: string): string {
  const [pathname, query] = split(withoutKey(path))
  return withoutCapability(pathname) + query.replace(secretParameter, '$1…')
}

/** What of the headers may be kept: no credentials, no session that could be taken over, no secret path. */
export function keptHeaders(headers: HeaderList): [string, string][] {
  const kept: [string, string][] = []
  for (const [given, value] of headers) {
    const name = given.toLowerCase()
    if (!isCredential(name) && name !== 'mcp-session-id') kept.push([name, withoutCapability(value)])
  }
  return kept
}

/** Behind `/mcp`, what is longer than the name of a portal is a secret, or may as well be. */
function withoutCapability(text: string): string {
  if (!text.includes('/mcp')) return text
  return text.replace(/(?<=\/mcp\b[^\s?#]*\/)[\w.~%=-]{24,}/g, '…')
}

const secretParameter = /([?&][^=&]*(?:token|secret|key|auth)[^=&]*=)[^&]*/gi

function split(path: string): [string, string] {
  const at = path.indexOf('?')
  return at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at)]
}
