import { hasSession } from '#access'
import { SluiceError } from '#lib/errors'

/**
 * What an upstream sends must never run in a browser as a page of this gateway, whose pages have a session. Programs
 * are not concerned: to them no byte and no header is another. What a browser wants an answer for, it says in
 * `sec-fetch-dest`; over plain HTTP, and old ones, say it nowhere but in `accept`.
 */

const documents = new Set(['document', 'iframe', 'frame', 'embed', 'object', 'fencedframe'])
/** Data to a page that asked for it, or what runs nothing. */
const harmless = new Set(['empty', 'websocket', 'image', 'audio', 'video', 'track', 'font', 'report'])

/** No page of ours runs a script, a style or a service worker of an upstream's. @throws SluiceError 403 `not-for-pages` */
export function refuseAsCode(headers: Headers): void {
  const dest = headers.get('sec-fetch-dest')
  if (dest === null ? headers.get('service-worker') === null : harmless.has(dest) || documents.has(dest))
    return
  throw new SluiceError(
    403,
    'not-for-pages',
    `An upstream's answer cannot be used as a ${dest ?? 'script'} here`,
  )
}

/** May the answer become a page, or run in one? */
export function isForPage(headers: Headers): boolean {
  const dest = headers.get('sec-fetch-dest')
  if (dest !== null) return documents.has(dest)
  return hasSession(headers) || (headers.get('accept')?.includes('text/html') ?? false)
}

/** The answer as a page that may do nothing: no script, no form, and of no origin. The record has it as it came. */
export function asPage(answer: Response, asked: Headers): Response {
  const { headers } = answer
  const type = headers.get('content-type')?.toLowerCase() ?? ''
  const said = asked.has('sec-fetch-dest')
  // Beside what the upstream demands itself: of two policies both hold.
  if (said || isDocument(type)) headers.append('content-security-policy', 'sandbox')
  if (!said && hasSession(asked)) {
    headers.set('x-content-type-options', 'nosniff')
    if (isCode(type)) headers.set('content-type', 'text/plain')
  }
  return answer
}

/** Also where it is not said what it is: a browser would look. */
function isDocument(type: string): boolean {
  return type === '' || /^(text\/html|[^;]*[/+]xml|application\/(pdf|x-unknown)|unknown\/|\*\/)/.test(type)
}

function isCode(type: string): boolean {
  return /^([^;]*(java|ecma|live|j)script|text\/css)/.test(type)
}
