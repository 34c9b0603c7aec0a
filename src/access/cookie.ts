import { SluiceError } from '#lib/errors'
import type { KnownHosts } from '#lib/known-hosts'

const name = 'sluice_session'

export function sessionCookie(headers: Headers): string | null {
  const cookies = headers.get('cookie')
  if (cookies === null || !cookies.includes(name)) return null
  return /(?:^|;\s*)sluice_session=([^;\s]+)/.exec(cookies)?.[1] ?? null
}

export function hasSession(headers: Headers): boolean {
  return headers.get('cookie')?.includes(`${name}=`) ?? false
}

/** Nobody else begins or ends a session of ours. One without a name is read as what it says. */
export function dropSetSession(headers: Headers): void {
  if (!headers.has('set-cookie')) return
  const set = headers.getSetCookie()
  const kept = set.filter((one) => !/^[\s=]*sluice_session\s*=/.test(one))
  if (kept.length === set.length) return
  headers.delete('set-cookie')
  for (const one of kept) headers.append('set-cookie', one)
}

/** What goes on to somebody else must not carry a session of ours. */
export function dropSession(headers: Headers): void {
  const cookies = headers.get('cookie')
  if (cookies === null || !cookies.includes(name)) return
  const kept = cookies.split(/;\s*/).filter((one) => !one.startsWith(`${name}=`))
  if (kept.length === 0) headers.delete('cookie')
  else headers.set('cookie', kept.join('; '))
}

/** `value` null: forget it. */
export function setCookie(request: Request, value: string | null, seconds: number): string {
  const secure = isHttps(request) ? '; Secure' : ''
  const age = value === null ? 0 : seconds
  return `${name}=${value ?? ''}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`
}

/**
 * That a page of ours asks, not one from elsewhere: the browser says so itself, or names our host as the origin. What
 * changes something carries a header on top, which no form and no simple request can.
 * @throws SluiceError 403 `cross-site`
 */
export function fromOwnPage(request: Request): void {
  const { method, headers } = request
  const site = headers.get('sec-fetch-site')
  const reading = method === 'GET' || method === 'HEAD'
  if (reading ? site === 'cross-site' || site === 'same-site' : !isOwn(headers, site)) {
    throw new SluiceError(403, 'cross-site', 'A request with a session must come from a page of this gateway')
  }
  if (!reading && headers.get('sluice-csrf') === null) {
    throw new SluiceError(403, 'cross-site', 'A change with a session needs the header sluice-csrf')
  }
}

/**
 * That no page of another site asks: it could not read the answer, but would have spent its price. Programs say nothing
 * of sites. A page that made its own name lead here could even read, and is known by that name only.
 * @throws SluiceError 403 `cross-site`, `host-not-allowed`
 */
export function notFromElsewhere(headers: Headers, knowsHost: KnownHosts): void {
  const host = headers.get('host')
  if (host !== null && !knowsHost(host)) {
    throw new SluiceError(
      403,
      'host-not-allowed',
      `The name ${host.slice(0, 100)} is none of this gateway's: call it as 127.0.0.1 or localhost, send a key, or put the name into ALLOWED_HOSTS`,
    )
  }
  const site = headers.get('sec-fetch-site')
  if (site === null ? headers.get('origin') === null : site === 'none') return
  if (isOwn(headers, site)) return
  throw new SluiceError(403, 'cross-site', 'A page of another site needs a key to call through this gateway')
}

function isOwn(headers: Headers, site: string | null): boolean {
  if (site !== null) return site === 'same-origin'
  const origin = headers.get('origin')
  return origin !== null && URL.parse(origin)?.host === headers.get('host')
}

function isHttps(request: Request): boolean {
  const forwarded = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim()
  return (forwarded ?? new URL(request.url).protocol).startsWith('https')
}
