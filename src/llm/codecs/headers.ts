import type { Losses } from './rules.ts'

/** Headers that only one vendor's API knows, beside credentials, which the proxy handles. */
const vendors = /^(anthropic-|openai-|x-goog-(?!api-key$))/

/** What of a client's headers goes to a provider of another dialect, and what does not. */
export function clientHeaders(
  headers: Headers,
  losses: Losses,
): { set: Record<string, string>; drop: string[] } {
  const drop: string[] = ['content-encoding', 'content-length']
  headers.forEach((value, name) => {
    if (!vendors.test(name)) return
    drop.push(name)
    if (name === 'anthropic-beta' || name === 'openai-beta') losses.lose('beta-header', value)
  })
  return { set: { 'content-type': 'application/json' }, drop }
}
