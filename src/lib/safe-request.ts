import { type LookupAddress, lookup as resolve } from 'node:dns'
import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'
import { InputError, SluiceError } from './errors.ts'

/**
 * Requests to addresses that a user gave: never to this machine or its network, unless the operator allows it. The
 * name is resolved once and the connection goes to what was checked, so that a second answer of the DNS cannot lead
 * elsewhere; redirects are not followed.
 */
export type SafeRequest = {
  url: string
  method: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  /** @default 10_000 */
  timeoutMs?: number
  /** More than this of an answer is an error. @default 65_536 */
  maxBytes?: number
  /** Only its beginning matters: what is more is not read, and no error. @default false */
  cut?: boolean
  /** May it be a private address? */
  allowPrivate: boolean
}

/**
 * @throws SluiceError 422 `bad-url`, `address-refused` where it may not be asked; 502 `no-answer` where it cannot be
 *   reached, is too slow or says too much
 */
export async function safeRequest(
  request: SafeRequest,
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const url = checkedUrl(request.url, request.allowPrivate)
  const { method, headers = {}, body = '', timeoutMs = 10_000, maxBytes = 65_536, cut = false } = request
  const client = url.protocol === 'https:' ? https : http
  const own = { 'content-length': String(Buffer.byteLength(body)), ...headers }
  return await new Promise((resolveAnswer, reject) => {
    const fail = (error: unknown) => {
      clearTimeout(timer)
      sent.destroy()
      reject(error instanceof SluiceError ? error : noAnswer(url, error))
    }
    const timer = setTimeout(() => fail(new Error(`nothing within ${timeoutMs} ms`)), timeoutMs)
    const sent = client.request(
      url,
      { method, headers: own, agent: false, lookup: checkedLookup(request.allowPrivate) },
      (answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size <= maxBytes) chunks.push(chunk)
          else if (cut) done()
          else fail(new Error(`more than ${maxBytes} bytes`))
        })
        answer.on('error', fail)
        answer.on('end', done)

        function done(): void {
          clearTimeout(timer)
          const { statusCode: status = 0, headers } = answer
          resolveAnswer({ status, headers, text: Buffer.concat(chunks).toString('utf8') })
          sent.destroy()
        }
      },
    )
    sent.on('error', fail)
    sent.end(body)
  })
}

/** As `checkedUrl`, of a field of a body. @throws InputError 422 with the field's place */
export function checkUrlAt(pointer: string, text: string, allowPrivate: boolean): void {
  try {
    checkedUrl(text, allowPrivate)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    throw new InputError(422, error.code, [{ pointer, detail: error.message }])
  }
}

/**
 * Checks what can be checked without asking the DNS.
 * @throws SluiceError 422
 */
export function checkedUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new SluiceError(422, 'bad-url', 'The address must be an http or https URL without a password in it')
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const local = isIP(host) === 0 ? /(^|\.)localhost\.?$/i.test(host) : isPrivate(host)
  if (local && !allowPrivate) throw refused(host)
  return url
}

/** Is it an address that only this machine or its network can reach, or that is none of a host? */
export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return isPrivate(mapped)
  return blocked().check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function checkedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { all: true, verbatim: true }, (error, addresses) => {
      if (error !== null) return callback(error, '')
      const wrong = allowPrivate ? undefined : addresses.find(({ address }) => isPrivate(address))
      const [first] = addresses
      if (wrong !== undefined) return callback(refused(hostname) as Error as NodeJS.ErrnoException, '')
      if (first === undefined) return callback(new Error(`no address for ${hostname}`), '')
      if (options.all === true) (callback as All)(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

type All = (error: Error | null, addresses: LookupAddress[]) => void

let list: BlockList | undefined

/** What IANA's registries of special-purpose addresses keep from the public Internet. */
function blocked(): BlockList {
  if (list !== undefined) return list
  list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return list
}

const ranges = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]

function refused(host: string): SluiceError {
  return new SluiceError(
    422,
    'address-refused',
    `${host.slice(0, 100)} is an address of this machine or its network: the operator may allow that with PRIVATE_ADDRESSES`,
  )
}

function noAnswer({ host }: URL, cause: unknown): SluiceError {
  const found = cause instanceof Error ? cause.message : String(cause)
  const refusal = cause instanceof Error && cause.cause instanceof SluiceError ? cause.cause : null
  return refusal ?? new SluiceError(502, 'no-answer', `Ask ${host}: ${found.slice(0, 200)}`, { cause })
}
