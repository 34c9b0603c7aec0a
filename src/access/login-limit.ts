import { SluiceError } from '#lib/errors'

export type LoginLimit = {
  /** Before a key is even looked at. @throws SluiceError 429 `too-many-logins` */
  check(address: string | null): void
  failed(address: string | null): void
}

/** Failed logins of one address in a minute: a person mistypes a few times, and who guesses is slowed down. */
const most = 20
const windowMs = 60_000
/** Addresses remembered at once. */
const remembered = 10_000

export function openLoginLimit(): LoginLimit {
  const failures = new Map<string, { count: number; until: number }>()
  return {
    check(address) {
      const now = Date.now()
      const known = failures.get(groupOf(address))
      if (known === undefined || known.until <= now || known.count < most) return
      const seconds = Math.ceil((known.until - now) / 1_000)
      throw new SluiceError(
        429,
        'too-many-logins',
        `Too many logins from this address have failed: try again in ${seconds} s`,
        { headers: { 'retry-after': String(seconds) } },
      )
    },
    failed(address) {
      const now = Date.now()
      const group = groupOf(address)
      const known = failures.get(group)
      if (known !== undefined && known.until > now) {
        known.count += 1
        return
      }
      failures.delete(group)
      failures.set(group, { count: 1, until: now + windowMs })
      const [oldest] = failures.keys()
      if (failures.size > remembered && oldest !== undefined) failures.delete(oldest)
    },
  }
}

/** Whoever has one IPv6 address has 2^64 of them. */
function groupOf(address: string | null): string {
  if (address === null || !address.includes(':') || address.includes('.')) return address ?? ''
  const [head = '', tail] = address.split('::')
  const groups = head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...new Array<string>(Math.max(0, missing)).fill('0')].slice(0, 4).join(':')
}
