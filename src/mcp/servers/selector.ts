import type { Selection } from './settings.ts'
import { matchesParts } from './wildcard.ts'

/** Does a selection hold that tool (prompt, resource) of that server? Both by the server's own names. */
export type Selector = (server: string, name: string) => boolean

export function selector({ allow, deny }: Selection): Selector {
  const allowed = matcher(allow)
  const denied = matcher(deny)
  return (server, name) => {
    const path = `${server}/${name}`
    return allowed(path) && !denied(path)
  }
}

/** Could a selection hold anything of that server? Of a server that is down nobody knows what it has. */
export function concerning({ allow, deny }: Selection): (server: string) => boolean {
  const servers = allow.map((pattern) => (pattern.split('/')[0] ?? '').split('*'))
  const denied = matcher(deny)
  return (server) => servers.some((parts) => matchesParts(parts, server)) && !denied(`${server}/*`)
}

/** Both selections must hold it. */
export function both(one: Selector, other: Selector): Selector {
  return (server, name) => one(server, name) && other(server, name)
}

export const everything: Selector = () => true

function matcher(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.includes('*')) return () => true
  const all = patterns.map((pattern) => (pattern.includes('/') ? pattern : `${pattern}/*`).split('*'))
  return (path) => all.some((parts) => matchesParts(parts, path))
}
