/** Wherever a client may have put a Sluice key, or its own. */
export const credentialHeaders = [
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'proxy-authorization',
]

/** Is the value of this header a secret? Names are lower case. */
export function isCredential(name: string): boolean {
  return secretNames.has(name) || secretPattern.test(name)
}

/** The path without the query's `key`, all else as it was. */
export function withoutKey(path: string): string {
  const start = path.indexOf('?')
  if (start === -1 || !namesKey.test(path)) return path
  const kept = path
    .slice(start + 1)
    .split('&')
    .filter((part) => !isKeyParameter(part))
  return kept.length === 0 ? path.slice(0, start) : `${path.slice(0, start)}?${kept.join('&')}`
}

const secretNames = new Set([
  ...credentialHeaders,
  ...['cookie', 'set-cookie', 'sluice-key', 'ocp-apim-subscription-key'],
])
const secretPattern = /authorization|api-?key|secret|password|(auth|security|access|session|csrf|xsrf)-token$/
const namesKey = /key=|token=/

function isKeyParameter(part: string): boolean {
  const name = part.slice(0, part.indexOf('=') === -1 ? undefined : part.indexOf('='))
  return name === 'key' || name === 'api_key' || name === 'api-key' || name === 'access_token'
}
