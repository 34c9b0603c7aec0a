import type { Sql } from 'postgres'
import type { Principal } from '#access'
import { errorText } from '#lib/errors'
import { idFloor } from '#lib/ids'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'
import { follow } from '#store'
import { readFrame } from '../wire/frame.ts'
import { dropMail, openMailbox } from './mailbox.ts'
import { endSession, hear, isIdle, newSession, type Session } from './session.ts'
import {
  changesSince,
  dropStates,
  newestRevision,
  type SessionState,
  statesOf,
  storedState,
  storeState,
} from './stored.ts'
import { longestSessionMs, type SessionClaims, type SessionTokens } from './token.ts'

export type Sessions = {
  open(claims: Omit<SessionClaims, 'id'>): { token: string; session: Session }
  /** The id that the record knows it by, whether or not it is still there; null: it is none of ours. */
  idOf(token: string): string | null
  /** The session of that id, made anew where this gateway does not know it. Null: there is none, or it has ended. */
  find(token: string, principal: Principal, portal: string | null): Promise<Session | null>
  /** Stores what a session has changed, soon. */
  changed(session: Session): void
  /** Ends it on all gateways. Rejects where that could not be stored. */
  end(session: Session): Promise<void>
  /** For the gateway that has the call which a client's answer or cancellation is about. Never rejects. */
  elsewhere(session: Session, frame: string): Promise<void>
  size(): number
  close(): Promise<void>
}

export type SessionsOptions = {
  sql: Sql
  log: Logger
  tokens: SessionTokens
  vault: Vault
}

const forgetAfterMs = 10 * 60_000
/** A transaction that began earlier may be seen later: so much is read twice. */
const overlap = 200n

/** There is no table of sessions: this is what of them is in use here, and what they have changed. */
export function openSessions({ sql, log, tokens, vault }: SessionsOptions): Sessions {
  const gateway = crypto.randomUUID().slice(0, 8)
  const held = new Map<string, Session>()
  const read = new Map<string, SessionClaims>()
  const making = new Map<string, Promise<Session | null>>()
  const unsaved = new Set<Session>()
  let saving: Promise<void> | null = null
  let revision: bigint | null = null
  const follower = follow({ sql, channel: 'sluice_mcp_sessions', what: 'MCP sessions', update, log })
  const mailbox = openMailbox({
    ...{ sql, log, vault },
    isHere(id) {
      const session = held.get(id)
      return session !== undefined && session.calls.size > 0
    },
    take(id, frame) {
      const session = held.get(id)
      const message = readFrame(frame)
      if (session !== undefined && message !== null) hear(session, message)
    },
  })
  const sweeper = setInterval(sweep, 60_000)
  sweeper.unref()

  return {
    open(claims) {
      const issued = tokens.issue(claims)
      const session = newSession(issued.claims, { heard: false, gateway })
      held.set(issued.claims.id, session)
      return { token: issued.token, session }
    },
    idOf: (token) => claimsOf(token)?.id ?? null,
    async find(token, { tenant, keyId }, portal) {
      const claims = claimsOf(token)
      if (claims === null || claims.tenant !== tenant || claims.keyId !== keyId) return null
      if (claims.portal !== portal) return null
      const session = held.get(claims.id) ?? (await made(claims))
      if (session === null || session.ended) return null
      session.usedAt = Date.now()
      return session
    },
    changed(session) {
      unsaved.add(session)
      saving ??= save()
    },
    async end(session) {
      endSession(session)
      await store(session)
    },
    async elsewhere({ claims }, frame) {
      await mailbox.send(claims.id, frame).catch((error: unknown) => {
        log.warn({ reason: errorText(error) }, 'MCP: what a client said could not be told to other gateways')
      })
    },
    size: () => held.size,
    async close() {
      clearInterval(sweeper)
      for (const session of held.values()) session.listening?.close()
      await saving
      await mailbox.close()
      await follower.stop()
    },
  }

  /** Checking a signature takes 10 µs, and most requests are of a few sessions. */
  function claimsOf(token: string): SessionClaims | null {
    const known = read.get(token)
    if (known !== undefined) return known
    const claims = tokens.read(token)
    if (read.size >= 10_000) read.clear()
    if (claims !== null) read.set(token, claims)
    return claims
  }

  /** Two requests that come at once, as after a restart, are of one session. */
  function made(claims: SessionClaims): Promise<Session | null> {
    const { id } = claims
    const under = making.get(id)
    if (under !== undefined) return under
    const work = make(claims).finally(() => making.delete(id))
    making.set(id, work)
    return work
  }

  async function make(claims: SessionClaims): Promise<Session> {
    const session = newSession(claims, { heard: true, gateway })
    try {
      const state = await storedState(sql, claims.id)
      if (state !== null) apply(session, state)
    } catch (error) {
      // Its signature says that it is one of ours; better with the levels of before than not at all.
      log.warn({ reason: errorText(error) }, 'MCP: a session was taken up without what it had changed')
    }
    held.set(claims.id, session)
    return session
  }

  async function save(): Promise<void> {
    try {
      for (const session of unsaved) {
        unsaved.delete(session)
        await store(session)
      }
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'MCP: what a session changed could not be stored')
    } finally {
      saving = null
    }
  }

  async function store({ claims: { id, tenant }, ended, logLevel, uris }: Session): Promise<void> {
    await storeState(sql, { id, tenant, state: { ended, logLevel, uris: [...uris] } })
  }

  /** What other gateways changed. */
  async function update(fresh: boolean): Promise<void> {
    if (revision === null || fresh) {
      const newest = await newestRevision(sql)
      for (const { id, state } of await statesOf(sql, [...held.keys()])) take(id, state)
      revision = newest
      return
    }
    for (const change of await changesSince(sql, revision - overlap)) {
      take(change.id, change.state)
      if (change.revision > revision) revision = change.revision
    }
  }

  function take(id: string, state: SessionState): void {
    const session = held.get(id)
    if (session !== undefined && !unsaved.has(session)) apply(session, state)
  }

  function sweep(): void {
    const before = Date.now() - forgetAfterMs
    for (const [id, session] of held) if (isIdle(session, before)) held.delete(id)
    void dropMail(sql).catch(() => {})
    void dropStates(sql, idFloor(Date.now() - longestSessionMs)).catch(() => {})
  }
}

function apply(session: Session, { ended, logLevel, uris }: SessionState): void {
  session.logLevel = logLevel
  const same = uris.length === session.uris.size && uris.every((uri) => session.uris.has(uri))
  if (!same) {
    session.uris.clear()
    for (const uri of uris) session.uris.add(uri)
    session.listening?.refresh()
  }
  if (ended && !session.ended) endSession(session)
}
