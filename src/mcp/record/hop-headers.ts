import { isCredential, withoutKey } from '#lib/credentials'

type HeaderList = readonly (readonly [string, string])[]

/** A path that may be kept: no key in its query, and no part behind `/mcp` that could be a capability. */
export function keptPath(path: string): string {
  const [pathname, query] = split(withoutKey(path))
  return withoutCapability(pathname) + query.replace(secretParameter, '$1…')
}

/** What of a client's headers may be kept: no credentials, no session that could be taken over, no secret path. */
export function keptHeaders(headers: HeaderList): [string, string][] {
  return lowered(headers).flatMap(([name, value]) =>
    isCredential(name) || secretName.test(name) ? [] : [[name, withoutCapability(value)]],
  )
}

/**
 * What of the headers between the portal and a server may be kept: those that are known to be harmless, as an
 * operator may have given the server's credential any name.
 */
export function harmlessHeaders(headers: HeaderList): [string, string][] {
  return lowered(headers).filter(([name]) => harmless.has(name))
}

/** Without those that repeat what is in the body: the name of what is asked for, and its arguments. */
export function withoutContent(headers: HeaderList): [string, string][] {
  return lowered(headers).filter(([name]) => name !== 'mcp-name' && !name.startsWith('mcp-param-'))
}

function lowered(headers: HeaderList): [string, string][] {
  return headers.map(([name, value]) => [name.toLowerCase(), value])
}

/** `mcp-session-id` is a session, whichever of us made it. */
const secretName = /token|mcp-session-id$/

const harmless = new Set([
  ...['accept', 'accept-encoding', 'cache-control', 'connection', 'content-encoding', 'content-length'],
  ...[
    'content-type',
    'date',
    'last-event-id',
    'mcp-method',
    'mcp-name',
    'mcp-protocol-version',
    'retry-after',
  ],
  ...['server', 'traceparent', 'transfer-encoding', 'user-agent', 'vary'],
])

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
