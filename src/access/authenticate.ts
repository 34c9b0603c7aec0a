import { SluiceError } from '#lib/errors'
import type { Authenticate, Caller } from './caller.ts'
import { credentials } from './credential.ts'
import type { Directory, Entry } from './directory.ts'
import { hashKey, keyPrefix } from './key.ts'
import { may, type Principal, type Scope } from './principal.ts'

/**
 * Who asks for one of our own routes, if that scope is theirs. A provider credential does not count here, and
 * neither does pass-through: the record is for keys only.
 * @throws SluiceError 401 `unauthenticated`, `key-unknown`, `key-revoked`, `key-expired`; 403 `forbidden`
 */
export type Authorise = (request: Request, scope: Scope) => Principal

export type Gate = { authenticate: Authenticate; authorise: Authorise }

export type GateOptions = {
  directory: Directory
  /** May clients without a Sluice key call, with their own provider credential or none? */
  passThrough: boolean
  defaultCapture: Principal['capture']
}

/** Both are synchronous and in memory. Measured: 0.6 µs with a key or a provider credential, 1,000 keys held. */
export function openGate({ directory, passThrough, defaultCapture }: GateOptions): Gate {
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
        const principal = admit(found.entry, 'call')
        return { principal, passThrough: found.ownHeader && found.foreign }
      }
      if (!passThrough) throw unauthenticated(found.foreign)
      return guest
    },
    authorise(request, scope) {
      let found = identify(request.headers, null)
      // Only then is the URL parsed: for an EventSource, which can send no header.
      if (found.entry === null) found = identify(request.headers, new URL(request.url).searchParams)
      if (found.entry === null) throw unauthenticated(found.foreign)
      return admit(found.entry, scope)
    },
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

function admit(entry: Entry, scope: Scope): Principal {
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
  if (may(entry.principal, scope)) return entry.principal
  const held = [...entry.principal.scopes].join(', ')
  throw new SluiceError(403, 'forbidden', `This needs the scope ${scope}: the key has ${held}`)
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
