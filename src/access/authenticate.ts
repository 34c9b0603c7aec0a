import { randomBytes } from 'node:crypto'
import { SluiceError } from '#lib/errors'
import type { KnownHosts } from '#lib/known-hosts'
import type { Authenticate, Caller } from './caller.ts'
import { fromOwnPage, notFromElsewhere, sessionCookie } from './cookie.ts'
import { credentials } from './credential.ts'
import type { Directory, EndedSession, Entry } from './directory.ts'
import { hashKey, keyPrefix } from './key.ts'
import { may, type Principal, type Scope } from './principal.ts'
import { openSessions, type Session, wholeMs } from './session.ts'

/**
 * Who asks for one of our own routes, if that scope is theirs: by a key, or in a browser by a session's cookie. A
 * provider credential does not count here, and neither does pass-through: the record is for keys only.
 * @throws SluiceError 401 `unauthenticated`, `key-unknown`, `key-revoked`, `key-expired`; 403 `forbidden`, `cross-site`
 */
export type Authorise = (request: Request, scope: Scope) => Principal

export type Gate = { authenticate: Authenticate; authorise: Authorise; sessions: SessionDoor }

/** How a page in a browser comes and goes. */
export type SessionDoor = {
  /** @throws SluiceError 401 where it is no key of ours, or one that is no more */
  begin(key: string): { value: string; session: Session; principal: Principal }
  renew(session: Session): { value: string; session: Session }
  /** Here and at once; other gateways learn of it from the database. */
  end(session: Session): EndedSession
  /** Whose page asks; null where there is no session. @throws SluiceError 403 `cross-site` */
  current(request: Request): { session: Session; principal: Principal } | null
}

export type GateOptions = {
  directory: Directory
  /** May clients without a Sluice key call, with their own provider credential or none? */
  passThrough: boolean
  defaultCapture: Principal['capture']
  /** By which names clients without any credential may call. @default all */
  knowsHost?: KnownHosts | undefined
  /** Signs sessions. @default one that this process makes up: they end with it */
  secret?: string | undefined
}

/** Both are synchronous and in memory. Measured: 0.6 µs with a key or a provider credential, 1,000 keys held. */
export function openGate(options: GateOptions): Gate {
  const { directory, passThrough, defaultCapture, knowsHost = () => true, secret } = options
  const sessions = openSessions(directory, secret ?? randomBytes(32))
  const guest: Caller = {
    principal: {
      tenant: 'default',
      keyId: null,
      scopes: new Set<Scope>(['call']),
      capture: defaultCapture,
      tags: [],
    },
    passThrough: true,
  }

  return {
    authenticate(headers, query) {
      const found = identify(headers, query)
      if (found.entry !== null) {
        const principal = actingFor(headers, admitted(found.entry, 'call'))
        return { principal, passThrough: found.ownHeader && found.foreign }
      }
      if (!passThrough) throw unauthenticated(found.foreign)
      // What the gateway's own provider keys pay for is not for any page that somebody has open.
      if (!found.foreign) notFromElsewhere(headers, knowsHost)
      return guest
    },
    authorise(request, scope) {
      let found = identify(request.headers, null)
      if (found.entry === null && !found.foreign) {
        const session = current(request)
        if (session !== null) return admitted(session.entry, scope).principal
      }
      // Only then is the URL parsed: for an EventSource, which can send no header.
      if (found.entry === null) found = identify(request.headers, new URL(request.url).searchParams)
      if (found.entry === null) throw unauthenticated(found.foreign)
      return actingFor(request.headers, admitted(found.entry, scope))
    },
    sessions: {
      begin(key) {
        const entry = lookUp(key.trim(), true)
        if (entry === null) throw unauthenticated(false)
        live(entry)
        const { principal, record } = entry
        return { ...sessions.issue(record?.id ?? 'admin'), principal }
      },
      renew: (session) => sessions.issue(session.subject, session),
      end({ id, begunAt }) {
        const ended = { id, until: begunAt + wholeMs }
        directory.endSession(ended)
        return ended
      },
      current(request) {
        const found = current(request)
        if (found === null || isOver(found.entry)) return null
        return { session: found.session, principal: found.entry.principal }
      },
    },
  }

  /** @throws SluiceError 403 `cross-site` */
  function current(request: Request) {
    const value = sessionCookie(request.headers)
    const found = value === null ? null : sessions.read(value)
    if (found === null) return null
    fromOwnPage(request)
    return found
  }

  /**
   * A process of ours names the key that it calls for: that one is counted, limited and recorded, with its tags. What
   * was asked for while a key was good is done also when it is no more.
   * @throws SluiceError 401 `key-unknown` where the tenant has no such key
   */
  function actingFor(headers: Headers, { principal, record }: Entry): Principal {
    const id = record?.acts_for_others ? headers.get('sluice-acts-for') : null
    if (id === null) return principal
    const other = directory.byId(id)
    if (other === undefined || other.principal.tenant !== principal.tenant)
      throw refusal('key-unknown', 'The Sluice key that this call is made for does not exist')
    const { keyId, tags } = other.principal
    return { ...principal, keyId, tags: [...new Set([...principal.tags, ...tags])] }
  }

  /** The first of the credentials that is ours, and whether there is one that is not. */
  function identify(headers: Headers, query: URLSearchParams | null) {
    let own: Entry | null = null
    let ownHeader = false
    let foreign = false
    for (const credential of credentials(headers, query)) {
      const entry = lookUp(credential.token, credential.ownHeader)
      if (entry === null) foreign = true
      else if (own === null) {
        own = entry
        ownHeader = credential.ownHeader
      }
      // Only beside `sluice-key` does it matter what else was sent.
      if (own !== null && (foreign || !ownHeader)) break
    }
    return { entry: own, ownHeader, foreign }
  }

  /** Null where the credential is none of ours, but a provider's. */
  function lookUp(token: string, mustBeOurs: boolean): Entry | null {
    const entry = directory.find(hashKey(token))
    if (entry !== undefined) return entry
    if (!mustBeOurs && !token.startsWith(keyPrefix)) return null
    if (directory.revision() < 0) throw notLoaded()
    throw refusal(
      'key-unknown',
      'This Sluice key does not exist: check that it was copied whole, or ask for a new one',
    )
  }
}

function isOver(entry: Entry): boolean {
  try {
    live(entry)
    return false
  } catch {
    return true
  }
}

function admitted(entry: Entry, scope: Scope): Entry {
  live(entry)
  if (may(entry.principal, scope)) return entry
  const held = [...entry.principal.scopes].join(', ')
  throw new SluiceError(403, 'forbidden', `This needs the scope ${scope}: the key has ${held}`)
}

/** @throws SluiceError 401 where the key is no more */
function live(entry: Entry): void {
  const time = Date.now()
  if (entry.record !== null) {
    const { expires_at, revoked_at } = entry.record
    if (revoked_at !== null) throw refusal('key-revoked', 'This Sluice key was revoked: ask for a new one')
    if (expires_at !== null && expires_at <= time) {
      const when = new Date(expires_at).toISOString()
      throw refusal('key-expired', `This Sluice key expired at ${when}: ask for a new one`)
    }
  }
  entry.usedAt = time
}

function unauthenticated(foreign: boolean): SluiceError {
  const how = 'send a Sluice key, as in "Authorization: Bearer sk-sluice-…"'
  return foreign
    ? refusal(
        'unauthenticated',
        `The credential is not a Sluice key, and a provider's own is not taken here: ${how}`,
      )
    : refusal('unauthenticated', `There is no credential: ${how}`)
}

/** Never with any part of the credential in it: messages go to logs and screens. */
function refusal(code: string, message: string): SluiceError {
  return new SluiceError(401, code, message, { headers: { 'www-authenticate': 'Bearer realm="sluice"' } })
}

function notLoaded(): SluiceError {
  return new SluiceError(
    503,
    'access-unavailable',
    'The gateway has not been able to load its keys yet, as its database does not answer: try again',
    { headers: { 'retry-after': '2' } },
  )
}
