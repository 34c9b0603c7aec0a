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
export async function addressOf(text: string, allowPrivate: boolean): Promise<Address> {
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

async function resolved(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new ConnectError(`No address for ${name.slice(0, 100)}: ${code}`)
  }
}
