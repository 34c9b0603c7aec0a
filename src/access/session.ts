import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Directory, Entry } from './directory.ts'

/** A browser page's stay, in a cookie: names a key, and is worth nothing once that key is. */
export type Session = {
  /** The same for as long as it goes on. */
  id: string
  /** Of the key; `admin`: the admin key. */
  subject: string
  /** ms since the epoch */
  begunAt: number
  expiresAt: number
}

export type Sessions = {
  /** A cookie's value. `before`: the session that goes on. */
  issue(subject: string, before?: Session): { value: string; session: Session }
  /** Null where it was not made here, was changed, is over, was ended, or its key is no more. */
  read(value: string): { session: Session; entry: Entry } | null
}

/** Without a sign of life. */
export const idleMs = 30 * 60_000
/** In all. */
export const wholeMs = 12 * 3_600_000

/**
 * Signed, and kept nowhere but where it was ended: any gateway with the same secret knows it. The key's hash is
 * signed too, so that another admin key ends the sessions of the last one.
 */
export function openSessions(directory: Directory, secret: string | Uint8Array): Sessions {
  const key = Buffer.from(hkdfSync('sha256', secret, 'sluice', 'sessions v2', 32))
  const sign = (body: string, hash: string) => createHmac('sha256', key).update(`${body}\n${hash}`).digest()

  return {
    issue(subject, before) {
      const found = directory.holder(subject)
      if (found === undefined) throw new Error(`issuing a session: no key ${subject}`)
      const now = Date.now()
      const begunAt = before?.begunAt ?? now
      const id = before?.id ?? randomBytes(12).toString('base64url')
      const session = { id, subject, begunAt, expiresAt: Math.min(now + idleMs, begunAt + wholeMs) }
      const body = Buffer.from(JSON.stringify([id, subject, begunAt, session.expiresAt])).toString(
        'base64url',
      )
      return { value: `v2.${body}.${sign(body, found.hash).toString('base64url')}`, session }
    },
    read(value) {
      const [, body, mac] = /^v2\.([\w-]{1,300})\.([\w-]{43})$/.exec(value) ?? []
      if (body === undefined || mac === undefined) return null
      const session = parse(body)
      const found = session === null ? undefined : directory.holder(session.subject)
      if (session === null || found === undefined || directory.hasEnded(session.id)) return null
      if (!timingSafeEqual(Buffer.from(mac, 'base64url'), sign(body, found.hash))) return null
      return session.expiresAt > Date.now() ? { session, entry: found.entry } : null
    },
  }
}

function parse(body: string): Session | null {
  try {
    const [id, subject, begunAt, expiresAt] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'))
    const numbers = Number.isFinite(begunAt) && Number.isFinite(expiresAt)
    const words = typeof id === 'string' && typeof subject === 'string'
    return words && numbers ? { id, subject, begunAt, expiresAt } : null
  } catch {
    return null
  }
}
