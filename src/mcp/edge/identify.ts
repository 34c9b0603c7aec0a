import type { Authorise, Principal } from '#access'
import { SluiceError } from '#lib/errors'
import type { Heartbeat } from './heartbeat.ts'
import { invalidRequest } from './refusal.ts'

/** What the path of a request names. */
export type Target =
  | { kind: 'all' }
  | { kind: 'portal'; name: string }
  /** A revocable address that is itself the credential. */
  | { kind: 'secret'; secret: string }

export type Visitor = {
  principal: Principal
  portal: string | null
  /** It showed no credential: it may look, and never call. */
  anonymous: boolean
  /** How it came in, where that was not with a key. */
  door?: string
}

/** Who may come in, by which way. All in memory. */
export type Ways = {
  authorise: Authorise
  resolveSecret(secret: string): { principal: Principal; portal: string | null } | null
  hasPortal(tenant: string, name: string): boolean
  /** Who those without a credential are; null: they are not let in. */
  anonymous(portal: string | null): Principal | null
  /** Where the metadata of an OAuth server are, for the `www-authenticate` of a 401. @default nowhere */
  resourceMetadata?(request: Request): string
}

/**
 * @throws SluiceError 401, 403 as `Authorise` does
 * @throws Refusal 404 where there is no such portal or address
 */
export function identify(request: Request, target: Target, ways: Ways): Visitor {
  if (target.kind === 'secret') {
    const found = ways.resolveSecret(target.secret)
    if (found === null) throw unknown()
    return { ...found, anonymous: false, door: `url ${Bun.hash(target.secret)}` }
  }
  const portal = target.kind === 'portal' ? target.name : null
  const visitor = authenticated(request, portal, ways)
  if (portal !== null && !ways.hasPortal(visitor.principal.tenant, portal)) throw unknown()
  return visitor
}

/**
 * Asks again later: a stream or a connection outlives its request, and must not outlive its key.
 * @returns what throws as `identify` does
 */
export function revisiting({ url, headers }: Request, target: Target, ways: Ways): () => Visitor {
  const again = new Request(url, { headers: [...headers] })
  return () => identify(again, target, ways)
}

/** Calls `end` within seconds of when the visitor may be here no more, until the function returned is called. */
export function whileWelcome(
  visit: () => unknown,
  { add }: Pick<Heartbeat, 'add'>,
  end: () => void,
): () => void {
  return add(() => {
    try {
      visit()
    } catch {
      end()
    }
  })
}

function authenticated(request: Request, portal: string | null, ways: Ways): Visitor {
  try {
    return { principal: ways.authorise(request, 'call'), portal, anonymous: false }
  } catch (error) {
    if (!(error instanceof SluiceError) || error.status !== 401) throw error
    const guest = error.code === 'unauthenticated' ? ways.anonymous(portal) : null
    if (guest !== null)
      return { principal: guest, portal, anonymous: true, door: `anybody at ${portal ?? ''}` }
    throw challenged(error, request, ways)
  }
}

function challenged(error: SluiceError, request: Request, { resourceMetadata }: Ways): SluiceError {
  const metadata = resourceMetadata?.(request)
  if (metadata === undefined) return error
  const challenge = `Bearer realm="sluice", resource_metadata="${metadata}", scope="call"`
  return new SluiceError(error.status, error.code, error.message, {
    headers: { 'www-authenticate': challenge },
  })
}

/** What a visitor without a credential may ask. */
const looking = new Set([
  ...['initialize', 'server/discover', 'ping', 'subscriptions/listen', 'notifications/initialized'],
  ...['notifications/cancelled', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
])

/** @throws SluiceError 401 where it is more than to look */
export function checkMay({ anonymous }: Visitor, method: string | null): void {
  if (!anonymous || (method !== null && looking.has(method))) return
  throw new SluiceError(
    401,
    'unauthenticated',
    `Without a credential ${method ?? 'this'} is not allowed: send a Sluice key, as in "Authorization: Bearer sk-sluice-…"`,
    { headers: { 'www-authenticate': 'Bearer realm="sluice"' } },
  )
}

function unknown() {
  return invalidRequest(404, 'unknown-portal', 'There is no such MCP portal')
}
