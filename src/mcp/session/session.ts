import type { Answer, Id } from '../wire/message.ts'
import type { SessionClaims } from './token.ts'

/** A legacy client's session, while this gateway has to do with it. */
export type Session = {
  readonly claims: SessionClaims
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

export function newSession(claims: SessionClaims, { heard }: { heard: boolean }): Session {
  return {
    claims,
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
