import type { FoundExchange } from '#capture'
import type { Id } from '../wire/message.ts'
import { fieldsOf, parse } from './fields.ts'
import { findRecorded, type RecordSources, type Waiting } from './find-recorded.ts'
import { eventsIn, framesIn } from './frames.ts'

/** What a client that lost its stream has missed. */
export type EventsAfter = {
  /** The events behind the one that it saw last, as they were sent, ids and all; empty where there are none. */
  sse: string
  /** The number of the last event that is on record; 0 where there is none. */
  last: number
  /** Was the answer to the request sent, be it before what was missed? */
  final: boolean
  /** False: it is still under way at another gateway, or one that died has not been recovered yet. */
  ended: boolean
  /** Of the request that the stream belongs to; null where that was none. */
  requestId: Id | null
  /** Who asked: nobody else should be told. */
  keyId: string | null
  session: string | null
}

/**
 * Null where there is no such exchange of that tenant.
 * @throws SluiceError 503 where the store cannot be asked
 */
export async function eventsAfter(
  sources: RecordSources,
  { id, after, tenant }: { id: string; after: number; tenant: string },
  waiting: Waiting = {},
): Promise<EventsAfter | null> {
  const found = await findRecorded(sources, { id, tenant }, waiting)
  return found === null ? null : readEvents(found, after)
}

function readEvents({ open, end, request, response }: FoundExchange, after: number): EventsAfter {
  const asked = framesIn(request).find((frame) => typeof frame.method === 'string')
  const requestId = typeof asked?.id === 'string' || typeof asked?.id === 'number' ? asked.id : null
  const events = eventsIn(new TextDecoder().decode(response))
  const numbered = events.map((event) => ({ ...event, number: numberIn(event.id, open.id) }))
  const missed = numbered.filter(({ number }) => number > after)
  return {
    sse: missed.map(({ id, data }) => `id: ${id}\n${lines(data)}\n\n`).join(''),
    last: Math.max(0, ...numbered.map(({ number }) => number)),
    final: requestId !== null && events.some(({ data }) => answers(data, requestId)),
    ended: end !== null,
    requestId,
    keyId: open.key_id,
    session: open.mcp?.session ?? null,
  }
}

/** Of `<exchange>_<n>`; 0 for what cannot be asked for again: a comment, or an event of another exchange. */
function numberIn(id: string | null, exchange: string): number {
  const [, of, n] = /^(.*)_(\d{1,15})$/.exec(id ?? '') ?? []
  return of === exchange ? Number(n) : 0
}

function lines(data: string): string {
  return data
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')
}

function answers(data: string, requestId: Id): boolean {
  const frame = fieldsOf(parse(data))
  return frame.id === requestId && frame.method === undefined && ('result' in frame || 'error' in frame)
}
