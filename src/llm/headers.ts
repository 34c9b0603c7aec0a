import { dropSession } from '#access'
import { isCredential } from '#lib/credentials'
import { SluiceError } from '#lib/errors'
import { dropHopByHop } from '#lib/hop-by-hop'
import { withoutProtocolKey } from './credential.ts'

export type HeaderList = [name: string, value: string][]

/** What goes on to the upstream: everything but what belongs to the connection, and what is ours. */
export function forwarded(headers: Headers, recorded: HeaderList): Headers {
  const onward = new Headers(headers)
  dropHopByHop(onward)
  onward.delete('host')
  // The gateway has answered it: it says "send the body" to whoever asks.
  onward.delete('expect')
  onward.delete('sluice-key')
  dropSession(onward)
  for (const [name] of recorded) if (name.startsWith('sluice-')) onward.delete(name)
  return onward
}

/**
 * What of the headers may be kept: everything but credentials. Taken out of Bun all at once: a walk with `forEach`
 * costs 2 to 4 µs more on each side of a call.
 */
export function recordable(headers: Headers): HeaderList {
  const list: HeaderList = []
  for (const [name, value] of Object.entries(headers.toJSON())) {
    if (secrecy(name)) continue
    const text = typeof value === 'string' ? value : value.join(', ')
    list.push([name, name === 'sec-websocket-protocol' ? withoutProtocolKey(text) : text])
  }
  return list
}

const secrets = new Map<string, boolean>()

/** Remembered, as a pattern for each header of each request would cost more than the rest. Bounded. */
function secrecy(name: string): boolean {
  const before = secrets.get(name)
  if (before !== undefined) return before
  const secret = isCredential(name)
  if (secrets.size < 2_000) secrets.set(name, secret)
  return secret
}

const mostTags = 16
const tagPattern = /^[\w.:/@=+-]{1,64}$/

/**
 * The tags of the key and those of the `sluice-tags` header.
 * @throws SluiceError 400 `bad-tags` naming the limit
 */
export function tagsOf(headers: Headers, ofKey: readonly string[]): string[] {
  const sent = headers.get('sluice-tags')
  if (sent === null) return ofKey.length === 0 ? [] : [...ofKey]
  const words = sent.split(',').flatMap((word) => word.trim() || [])
  const tags = [...new Set([...ofKey, ...words])]
  if (words.length <= mostTags && words.every((word) => tagPattern.test(word))) return tags
  throw new SluiceError(
    400,
    'bad-tags',
    `sluice-tags: at most ${mostTags} tags, comma separated, of 1 to 64 letters, digits and . : / @ = + - _`,
  )
}

/**
 * What happens to the upstream's answer when the client hangs up.
 * @throws SluiceError 400 `bad-header`
 */
export function onDisconnect(headers: Headers, otherwise: 'cancel' | 'finish'): 'cancel' | 'finish' {
  const asked = headers.get('sluice-on-disconnect')
  if (asked === null) return otherwise
  if (asked === 'cancel' || asked === 'finish') return asked
  throw new SluiceError(400, 'bad-header', 'sluice-on-disconnect: must be cancel or finish')
}
