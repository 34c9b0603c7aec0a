import { claimsModern } from '../wire/envelope.ts'
import type { RequestMessage } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'

/** A request of the client, until it is answered. */
export type Flight = {
  request: RequestMessage
  /** As the client wrote it. */
  frame: string
  modern: boolean
  /** Ends the work on it: the client wants no answer any more, or is gone. */
  ending: AbortController
  /** The last event of its stream; null: none had an id. */
  lastId: string | null
  /** The gateway was last heard of, or asked for the first time. ms, monotonic. */
  heardAt: number
}

export function takeOff(request: RequestMessage, frame: string): Flight {
  return {
    ...{ request, frame, modern: isModern(request) },
    ...{ ending: new AbortController(), lastId: null, heardAt: performance.now() },
  }
}

export function isModern({ method, params }: { method: string; params: string }): boolean {
  return method === 'server/discover' || method === 'subscriptions/listen' || claimsModern(params)
}

/** What the client should be told where nobody knows whether its call had an effect. */
export function isRepeatable({ method, params }: RequestMessage, safeTools: ReadonlySet<string>): boolean {
  return method !== 'tools/call' || safeTools.has(stringOf(params, 'name') ?? '')
}
