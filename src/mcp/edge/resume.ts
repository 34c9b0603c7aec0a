import { errorText } from '#lib/errors'
import type { Session } from '../session/session.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { responseFrame } from '../wire/frame.ts'
import type { Edge } from './edge.ts'
import type { Visitor } from './identify.ts'
import { invalidRequest } from './refusal.ts'
import { openSse, sseEvent } from './sse-stream.ts'

/**
 * Goes on after the event that a client saw last: from the call itself where it is under way here; else from the
 * record, which says how far it came before its gateway died. Null: it was a stream that only listens, and is opened
 * anew.
 * @throws Refusal 400 where the record has no such stream of this client
 */
export async function replay(
  edge: Edge,
  { lastSeen, session, visitor }: { lastSeen: string; session: Session; visitor: Visitor },
): Promise<Response | null> {
  const [, exchange, listening, digits] = /^([0-9a-f-]{36})_(g?)(\d{1,9})$/.exec(lastSeen) ?? []
  if (exchange === undefined || digits === undefined) throw unknownEvent()
  if (listening === 'g') return null
  const n = Number(digits)
  const live = edge.streams.get(exchange)
  if (live !== undefined && live.session === session.claims.id) {
    const resumed = live.reply.resume(n)
    if (resumed !== null) return resumed
  }
  const found = await recordedEvents(edge, { exchange, n, visitor })
  if (found === null || found.session !== session.claims.id) throw unknownEvent()
  const { heartbeat, limits } = edge
  const stream = openSse({ ...limits, heartbeat, onGone: () => {} })
  void follow(found)
  return stream.response

  /** Where another gateway is still at work on it, this one tells on as the record grows. */
  async function follow(first: Recorded): Promise<void> {
    for (let part: Recorded | null = first; part !== null && stream.isOpen(); ) {
      stream.send(part.sse)
      if (part.ended && !part.final && part.requestId !== null)
        stream.send(sseEvent(responseFrame(part.requestId, { error: died })))
      if (part.ended || part.final) break
      const after = Math.max(n, part.last)
      part = await recordedEvents(edge, { exchange: exchange ?? '', n: after, visitor }).catch(() => null)
    }
    stream.end()
  }
}

type Recorded = NonNullable<Awaited<ReturnType<Edge['eventsAfter']>>>

async function recordedEvents(
  { eventsAfter, log }: Edge,
  { exchange, n, visitor }: { exchange: string; n: number; visitor: Visitor },
): Promise<Recorded | null> {
  try {
    return await eventsAfter(visitor.principal, exchange, n)
  } catch (error) {
    log.warn({ reason: errorText(error) }, 'MCP: a stream could not be taken up from the record')
    throw invalidRequest(503, 'record-unavailable', 'The record cannot be read just now: try again')
  }
}

const died = rpcError(
  codes.internalError,
  'The gateway that worked on this request died before its answer was there: whether it had an effect is not known',
)

function unknownEvent() {
  return invalidRequest(400, 'unknown-event', 'Last-Event-ID names no event of this session')
}
