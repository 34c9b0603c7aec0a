import type { FrameRoom, Link, LinkEvents, OutFrame } from '../link.ts'
import { openEventStream } from './event-stream.ts'
import { bodyOf, isEventStream, pieceOf } from './http-answer.ts'
import { headersOf } from './http-headers.ts'
import { askRemote, failureOf, isUnreachable, type RemoteOptions } from './remote.ts'
import { type Standing, standing } from './standing.ts'

/** How long the server is given to hear that a session is over. */
const goodbyeMs = 1_000

/** Streamable HTTP, of both eras: each request is a POST of its own, with an answer or a stream of its own. */
export function openHttpLink(remote: RemoteOptions, events: LinkEvents, room: FrameRoom): Link {
  const streams = new Map<number, AbortController>()
  const others = new AbortController()
  let session: { id: string | null; version: string | null } = { id: null, version: null }
  let era: 'legacy' | 'modern' = 'modern'
  let listener: Standing | null = null
  let open = true

  const stand = (about: number | null, from: { lastId: string | null; retryMs: number | null }) =>
    standing({ remote, session, about, from, room, events })

  async function post(frame: OutFrame): Promise<void> {
    const { id } = frame
    const abort = new AbortController()
    if (id !== null) streams.set(id, abort)
    const signal = id === null ? others.signal : abort.signal
    const patient = frame.method !== 'subscriptions/listen'
    const inSession = session.id !== null && frame.method !== 'initialize'
    try {
      const headers = headersOf(frame, inSession ? session.id : null)
      const response = await askRemote(remote, { method: 'POST', headers, body: frame.text, signal, patient })
      if (frame.method === 'initialize') session.id = response.headers.get('mcp-session-id')
      if (id === null) await response.body?.cancel()
      else await answered(id, response, inSession)
    } catch (error) {
      if (!open || signal.aborted) return
      const failure = failureOf(error, remote)
      if (id !== null) events.lost(id, failure)
      if (isUnreachable(error)) events.away(failure.message)
    } finally {
      if (id !== null && streams.get(id) === abort) streams.delete(id)
    }
  }

  async function answered(id: number, response: Response, inSession: boolean): Promise<void> {
    events.head(id, response.status)
    if (response.ok && isEventStream(response)) return await streamed(id, response)
    const body = await bodyOf(response, room)
    if ('oversized' in body) return events.oversized(id, body.oversized, id)
    const piece = pieceOf(response, body.text, inSession)
    if ('frame' in piece) events.frame(piece.frame, id)
    if (!('frame' in piece)) events.lost(id, piece)
    else if (events.awaited(id)) {
      events.lost(id, { kind: 'nonsense', message: 'The server answered another request than this one' })
    }
  }

  async function streamed(id: number, response: Response): Promise<void> {
    const stream = openEventStream(
      {
        event: ({ data }) => events.frame(data, id),
        oversized: (bytes) => events.oversized(id, bytes, id),
      },
      room,
    )
    let cut: unknown = null
    try {
      for await (const chunk of response.body ?? []) {
        stream.push(chunk)
        if (!events.awaited(id)) break
      }
    } catch (error) {
      cut = error
    }
    if (!open || !events.awaited(id)) return
    const lastId = stream.lastId()
    if (lastId !== null && era === 'legacy') {
      const resumed = stand(id, { lastId, retryMs: stream.retryMs() })
      streams.get(id)?.signal.addEventListener('abort', resumed.stop)
      return await resumed.done
    }
    const failure = cut === null ? null : failureOf(cut, remote)
    events.lost(id, failure ?? { kind: 'gone', message: 'The stream ended before the answer' })
  }

  function stopAll(): void {
    listener?.stop()
    others.abort()
    for (const abort of streams.values()) abort.abort()
  }

  return {
    get dropCancels() {
      return era === 'modern'
    },
    pid: null,
    send: (frame) => void post(frame),
    drop(id) {
      streams.get(id)?.abort()
    },
    ready(agreed) {
      era = agreed.era
      session = { ...session, version: agreed.version }
      if (agreed.listens) listener = stand(null, { lastId: null, retryMs: null })
    },
    async close() {
      const over = session.id !== null && era === 'legacy' && open
      open = false
      stopAll()
      if (over) await goodbye()
    },
  }

  async function goodbye(): Promise<void> {
    const headers = { 'mcp-session-id': session.id ?? '', 'mcp-protocol-version': session.version ?? '' }
    try {
      const signal = AbortSignal.timeout(goodbyeMs)
      const response = await askRemote(remote, { method: 'DELETE', headers, signal, patient: false })
      await response.body?.cancel()
    } catch {
      // It forgets sessions by itself in time.
    }
  }
}
