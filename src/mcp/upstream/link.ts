import type { Id, RawJson } from '../wire/message.ts'
import type { Failure } from './failure.ts'

/**
 * A way to a server: it carries frames and knows their ids, and nothing else of what they say. One interface, four
 * transports. Whoever opens it closes it; after `closed` it says nothing more.
 */
export type Link = {
  /** Never throws: what cannot be sent is told by `lost` or `closed`. */
  send(frame: OutFrame): void
  /** Nobody waits for that request any more: what still comes for it is thrown away. */
  drop(id: number): void
  /** Is a request cancelled by `drop` alone, without a message? */
  dropCancels: boolean
  /** Tells what was agreed on, and that the server may now speak by itself. */
  ready(agreed: { era: 'legacy' | 'modern'; version: string; listens: boolean }): void
  /** Of its process. */
  pid: number | null
  /** Resolves when nothing is left of it: no socket, no process. */
  close(): Promise<void>
}

export type OutFrame = {
  /** One line of JSON. */
  text: string
  /** Of a request of ours; null for everything else. */
  id: number | null
  /** Null for an answer. */
  method: string | null
  params: RawJson
  /** The protocol's version, where it is known. */
  version: string | null
  era: 'legacy' | 'modern'
  /** What HTTP repeats of the body beside method and name. */
  headers?: readonly (readonly [string, string])[]
}

export type LinkEvents = {
  /** `about`: the request on whose own stream it came; null where all share one, or it came unasked. */
  frame(text: string, about: number | null): void
  /** A frame larger than any call allows was thrown away. `id`: whom it answered, as far as it said. */
  oversized(id: Id | null, bytes: number, about: number | null): void
  /** Is that request still under way? */
  awaited(id: number): boolean
  /** The head of an HTTP answer. */
  head(id: number, status: number): void
  /** That request will not be answered; all others may be. */
  lost(id: number, failure: Failure): void
  /** It is over, once. */
  closed(reason: string): void
  /** Nothing new can be sent. Requests under way may still be answered. */
  away(reason: string): void
  /** The server knows the session no more. Requests under way may still be answered. */
  forgotten(): void
  /** Something may have been missed while nothing listened. */
  gap(): void
}

/** How a link is opened, unless that is given up by the signal. @throws ConnectError */
export type OpenLink = (events: LinkEvents, room: FrameRoom, signal: AbortSignal) => Promise<Link>

/** Bytes above which a frame need not be kept, now. */
export type FrameRoom = () => number
