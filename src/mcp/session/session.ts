import type { Answer, Id, Message } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import type { SessionClaims } from './token.ts'

/** A legacy client's session, while this gateway has to do with it. */
export type Session = {
  readonly claims: SessionClaims
  /** Of this gateway: begins the ids of what it asks, whose answers may come to another. */
  readonly gateway: string
  /** The lowest level of log messages that it asked for; null: it never asked, and gets them all. */
  logLevel: string | null
  /** Resources of whose updates it wants to hear. */
  readonly uris: Set<string>
  /** Its requests under way, by their id: what `notifications/cancelled` names. */
  readonly calls: Map<Id, { cancel(): void }>
  /** What we asked it and it has not answered yet, by our id. */
  readonly asked: Map<string, (answer: Answer) => void>
  /** The stream on which it listens; null: none just now. */
  listening: { close(): void; refresh(): void } | null
  /** Did it listen before, here or elsewhere? Then it may have missed something. */
  heard: boolean
  ended: boolean
  /** ms since the epoch. */
  usedAt: number
}

export function newSession(
  claims: SessionClaims,
  { heard, gateway }: { heard: boolean; gateway: string },
): Session {
  return {
    claims,
    gateway,
    logLevel: null,
    uris: new Set(),
    calls: new Map(),
    asked: new Map(),
    listening: null,
    heard,
    ended: false,
    usedAt: Date.now(),
  }
}

/** Ends what it has open here; nothing of it is stored. */
export function endSession(session: Session): void {
  session.ended = true
  session.listening?.close()
  for (const { cancel } of [...session.calls.values()]) cancel()
}

/** Nothing under way, nobody listening: it can be forgotten, and is made anew from its id. */
export function isIdle({ calls, asked, listening, usedAt }: Session, before: number): boolean {
  return calls.size === 0 && asked.size === 0 && listening === null && usedAt < before
}

/** An answer to what we asked, or a cancellation. False: of that nothing is under way here. */
export function hear({ asked, calls }: Session, message: Message): boolean {
  if (message.kind === 'response') {
    const waiting = typeof message.id === 'string' ? asked.get(message.id) : undefined
    waiting?.(message.answer)
    return waiting !== undefined
  }
  const id: unknown = JSON.parse(memberOf(message.params, 'requestId') ?? 'null')
  const call = typeof id === 'string' || typeof id === 'number' ? calls.get(id) : undefined
  call?.cancel()
  return call !== undefined
}

export function askId({ gateway }: Session): string {
  return `${gateway}-${crypto.randomUUID()}`
}

/** Was that asked by another gateway? */
export function isAskedElsewhere({ gateway }: Session, id: unknown): boolean {
  return typeof id === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{36}$/.test(id) && !id.startsWith(`${gateway}-`)
}
