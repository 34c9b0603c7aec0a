import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPrivate } from '#lib/safe-request'
import { ConnectError } from '../failure.ts'

export type Address = {
  /** With the address that was checked in place of the name, where it was checked. */
  url: URL
  /** What the name would have brought about: the `Host` header, and whose certificate it must be. */
  host: string | null
  serverName: string | null
}

/**
 * Where a connection to that URL may go. The name is resolved here and the connection goes to what was checked, so
 * that a second answer of the DNS cannot lead elsewhere.
 * @throws ConnectError where it is no address that may be asked
 */
async function addressOf(text: string, allowPrivate: boolean): Promise<Address> {
  const url = URL.parse(text)
  if (url === null || !/^(https?|wss?):$/.test(url.protocol)) throw new ConnectError('Its URL is none')
  if (allowPrivate) return { url, host: null, serverName: null }
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = isIP(name) === 0 ? await resolved(name) : [name]
  const [first] = addresses
  if (first === undefined || addresses.some(isPrivate)) {
    const what = `${name.slice(0, 100)} is an address of this machine or its network`
    throw new ConnectError(`${what}: the operator may allow that with PRIVATE_ADDRESSES`)
  }
  if (isIP(name) !== 0) return { url, host: null, serverName: null }
  const pinned = new URL(url)
  pinned.hostname = first.includes(':') ? `[${first}]` : first
  return { url: pinned, host: url.host, serverName: name }
}

/** How long an address is good for that was found and checked: every request of a call asks for it. */
const rememberMs = 10_000

export type Locate = (url: string) => Promise<Address>

/** Remembers addresses for a little while, as the system's resolver remembers nothing. */
export function addressBook(allowPrivate: boolean): Locate {
  const known = new Map<string, { found: Promise<Address>; until: number }>()
  return (url) => {
    const entry = known.get(url)
    if (entry !== undefined && entry.until > performance.now()) return entry.found
    const found = addressOf(url, allowPrivate)
    known.set(url, { found, until: performance.now() + rememberMs })
    found.catch(() => known.delete(url))
    return found
  }
}

async function resolved(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true, order: 'ipv4first' })).map(({ address }) => address)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new ConnectError(`No address for ${name.slice(0, 100)}: ${code}`)
  }
}
