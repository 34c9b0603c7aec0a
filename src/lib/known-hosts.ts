/**
 * By which names the gateway may be called. A page can make its own name lead to any address (DNS rebinding), and
 * then is of the same origin as the gateway; what it cannot change is the name that it calls.
 */
export type KnownHosts = (authority: string) => boolean

/**
 * A gateway on loopback answers to the names of loopback alone, and to those given. One on a network answers to any
 * name unless names are given.
 * @param host the address that it is bound to
 * @param hosts names, with a port or without
 */
export function knownHosts({ host, hosts }: { host: string; hosts: readonly string[] }): KnownHosts {
  const local = isLoopback(host)
  if (!local && hosts.length === 0) return () => true
  const known = new Set(hosts.map((name) => name.toLowerCase()))
  return (authority) => {
    const full = authority.toLowerCase()
    const name = full.replace(/:\d+$/, '')
    return (local && isLoopbackName(name)) || known.has(full) || known.has(name)
  }
}

/** Of an address to bind to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

/** Of a name in a URL, without its port. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
}
