import { BlockList, isIP, isIPv4 } from 'node:net'

/** Where a request comes from: `peer` is the other end of its connection. */
export type ClientAddress = (peer: string | null, headers: Headers) => string | null

/** Longer chains than any network has. */
const mostHops = 32

/**
 * Behind proxies that are known, the right-most address of `x-forwarded-for` or `forwarded` that is none of theirs: all
 * that is left of it, and anything that another peer says, whoever calls could have made up. Where both headers are
 * there and differ, one of them is none of the proxy's, and the proxy itself is what is known.
 * @param proxies addresses and networks, as `isNetwork` has them
 */
export function clientAddress(proxies: readonly string[]): ClientAddress {
  const known = new BlockList()
  for (const network of proxies) {
    const [address = '', bits] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (bits === undefined) known.addAddress(address, family)
    else known.addSubnet(address, Number(bits), family)
  }
  const isKnown = (address: string) => known.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')

  return (given, headers) => {
    const peer = given === null ? null : plain(given)
    if (proxies.length === 0 || peer === null || !isKnown(peer)) return peer
    const lists = [forwardedFor(headers), forwarded(headers)].filter((list) => list !== null)
    const [found = peer, other = found] = lists.map((list) => walk(peer, list))
    return found === other ? found : peer
  }

  /** From hop to hop, as long as one that is known vouches for the next. */
  function walk(peer: string, list: readonly string[]): string {
    let at = peer
    for (const entry of list.slice(-mostHops).reverse()) {
      const next = addressOf(entry)
      if (next === null) return at
      at = next
      if (!isKnown(at)) return at
    }
    return at
  }
}

/** An address, or a network as in 10.0.0.0/8; not all there are. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0 || address.includes('%')) return false
  return (
    bits === undefined ||
    (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128))
  )
}

function forwardedFor(headers: Headers): string[] | null {
  return headers.get('x-forwarded-for')?.split(',') ?? null
}

/** RFC 7239: of each element the `for`; one without is nobody known. */
function forwarded(headers: Headers): string[] | null {
  const elements = headers.get('forwarded')?.split(',') ?? null
  return elements?.map((element) => /(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)/i.exec(element)?.[1] ?? '') ?? null
}

/** Without quotes, brackets and port; null where it is no address. */
function addressOf(entry: string): string | null {
  const text = entry.trim().replace(/^"(.*)"$/, '$1')
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  return isIP(bare) === 0 ? null : plain(bare)
}

/** The same for an IPv4 address that came over an IPv6 socket. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address.toLowerCase()
}
