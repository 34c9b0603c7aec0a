import type { Message, SessionRef } from '../interpretation.ts'
import { digest16 } from './derive.ts'

/** A message of an exchange and the key that names it as a turn of its conversation. */
export type KeyedTurn = {
  message: Message
  /** 16 bytes, hex. */
  key: string
  /** Does this turn end a history by which a later request could be recognised? */
  links: boolean
}

/**
 * Names the turns of a thread that its client names. A turn is its words, what came right before, and how often
 * that pair was there already: an edit or a compaction early in a resent history then makes new turns there, and
 * not of everything after it.
 */
export function sessionKeys(messages: readonly Message[]): KeyedTurn[] {
  const seen = new Map<string, number>()
  let before = ''
  return messages.map((message) => {
    if (message.role === 'system') return { message, key: systemKey(message), links: false }
    const pair = `${before}|${message.role}|${message.digest}`
    const times = seen.get(pair) ?? 0
    seen.set(pair, times + 1)
    before = message.digest
    return { message, key: digest16('turn', pair, String(times)).toString('hex'), links: false }
  })
}

/**
 * Names the turns of a thread that is known only by the history that it resends: each by everything up to it. What
 * the system says is not part of the chain, as clients put the date and the like there.
 */
export function historyKeys(tenant: string, messages: readonly Message[]): KeyedTurn[] {
  let chain = digest16('thread', tenant)
  return messages.map((message) => {
    if (message.role === 'system') return { message, key: systemKey(message), links: false }
    chain = digest16(chain, message.role, message.digest)
    return { message, key: chain.toString('hex'), links: true }
  })
}

function systemKey({ digest }: Message): string {
  return digest16('system', digest).toString('hex')
}

/** The conversation of a thread that its client names: the same on every worker, whichever comes first. */
export function sessionId(tenant: string, { client, session, agent }: SessionRef): string {
  return uuidOf(digest16('session', tenant, client, session, agent ?? ''))
}

/** An agent's parent: the agent that started it, or else the session's main thread. */
export function parentId(tenant: string, ref: SessionRef): string | null {
  if (ref.agent === null) return null
  return sessionId(tenant, { ...ref, agent: ref.parent_agent })
}

/** A UUIDv8 (RFC 9562): 122 bits of our own. */
function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes)
  hex[6] = ((hex[6] ?? 0) & 0x0f) | 0x80
  hex[8] = ((hex[8] ?? 0) & 0x3f) | 0x80
  return hex.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
