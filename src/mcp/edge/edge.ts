import type { Logger } from '#lib/log'
import type { Portal } from '../portal/portal.ts'
import type { McpRecord } from '../record/open-record.ts'
import type { Recorder } from '../record/recorder.ts'
import type { Sessions } from '../session/sessions.ts'
import type { RawJson } from '../wire/message.ts'
import type { Guard } from './guard.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Ways } from './identify.ts'
import type { Places } from './places.ts'
import type { Reply } from './reply.ts'
import type { SseLimits } from './sse-stream.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What all ways of a client to the portal have in common. */
export type Edge = {
  portal: Portal
  recorder: Recorder
  sessions: Sessions
  ways: Ways
  guard: Guard
  subscriptions: Subscriptions
  heartbeat: Heartbeat
  limits: SseLimits
  places: Places
  /** Bytes of one message. */
  bodyMaxBytes: number
  /** Streams of legacy calls that are under way, by their exchange: where their clients may come back to. */
  streams: Map<string, LiveStream>
  /** Calls under way. */
  calls: Set<Promise<void>>
  eventsAfter: EventsAfter
  /** Do these arguments hold a secret of the user's? */
  isSecret(method: string, params: RawJson): boolean
  /** May this, which is no message, or has what is none in it, hold one? */
  mayBeSecret(text: string): boolean
  log: Logger
}

/** `resumed`: how many streams go on with it, each of which has a place. */
export type LiveStream = { reply: Reply; session: string; resumed: number }

/** What the record has of a stream behind the event that its client saw last. */
export type EventsAfter = McpRecord['eventsAfter']

/** Bun's server, as far as it is needed here. */
export type StreamServer = { timeout(request: Request, seconds: number): void } | null

/** Lets a call go on by itself; a gateway that stops waits for it, for a while. */
export function letRun({ calls }: Edge, call: Promise<void>): void {
  calls.add(call)
  void call.finally(() => calls.delete(call))
}
