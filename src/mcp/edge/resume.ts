import { errorText } from '#lib/errors'
import type { Session } from '../session/session.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { responseFrame } from '../wire/frame.ts'
import type { Edge, LiveStream } from './edge.ts'
import { type Visitor, whileWelcome } from './identify.ts'
import type { Incoming } from './incoming.ts'
import { invalidRequest } from './refusal.ts'
import { openSse, type SseStream, sseEvent } from './sse-stream.ts'

/**
 * Goes on after the event that a client saw last: from the call itself where it is under way here; else from the
 * record, which says how far it came before its gateway died. Null: it was a stream that only listens, and is opened
 * anew.
 * @throws Refusal 400 where the record has no such stream of this client, 429 where its key has too many open
 */
export async function replay(
  edge: Edge,
  incoming: Incoming,
  { lastSeen, session }: { lastSeen: string; session: Session },
): Promise<Response | null> {
  const [, exchange, listening, digits] = /^([0-9a-f-]{36})_(g?)(\d{1,9})$/.exec(lastSeen) ?? []
  if (exchange === undefined || digits === undefined) throw unknownEvent()
  if (listening === 'g') return null
  const found = edge.streams.get(exchange)
  const live = found?.session === session.claims.id ? found : undefined
  const leave = edge.places.take(incoming.visitor, live !== undefined && live.resumed > 0)
  try {
    const asked = { exchange, n: Number(digits), session }
    const stream = goOn(live, asked.n, leave) ?? (await replayed(edge, incoming, { ...asked, leave }))
    // Bun sends the headers with the first bytes: without any, the client would wait for a sign of life.
    stream.send(': resumed\n\n')
    if (incoming.request.signal.aborted) stream.cut()
    incoming.request.signal.addEventListener('abort', stream.cut, { once: true })
    return stream.response
  } catch (error) {
    leave()
    throw error
  }
}

function goOn(live: LiveStream | undefined, n: number, leave: () => void): SseStream | null {
  if (live === undefined) return null
  const stream = live.reply.resume(n, () => {
    live.resumed -= 1
    leave()
  })
  if (stream !== null) live.resumed += 1
  return stream
}

type Asked = { exchange: string; n: number; session: Session; leave: () => void }

async function replayed(
  edge: Edge,
  { visitor, again }: Incoming,
  { exchange, n, session, leave }: Asked,
): Promise<SseStream> {
  const found = await recordedEvents(edge, { exchange, n, visitor })
  if (found === null || found.session !== session.claims.id) throw unknownEvent()
  const { heartbeat, limits } = edge
  const stream = openSse({ ...limits, heartbeat, first: textOf(found), onGone: () => {}, onOver: over })
  const stopVisits = whileWelcome(again(), heartbeat, stream.cut)
  void follow(found)
  return stream

  function over(): void {
    stopVisits()
    leave()
  }

  /** Where another gateway is still at work on it, this one tells on as the record grows. */
  async function follow(first: Recorded): Promise<void> {
    for (let part = first; stream.isOpen() && !part.ended && !part.final; ) {
      const after = Math.max(n, part.last)
      const next = await recordedEvents(edge, { exchange, n: after, visitor }).catch(() => null)
      if (next === null) break
      stream.send(textOf(next))
      part = next
    }
    stream.end()
  }
}

function textOf({ sse, ended, final, requestId }: Recorded): string {
  const isCutShort = ended && !final && requestId !== null
  return isCutShort ? sse + sseEvent(responseFrame(requestId, { error: died })) : sse
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
