import type { Failure } from '../failure.ts'
import type { FrameRoom, Link, LinkEvents, OutFrame } from '../link.ts'
import { openSseLink } from '../sse/sse-link.ts'
import { openHttpLink } from './http-link.ts'
import type { RemoteOptions } from './remote.ts'

/**
 * Streamable HTTP, or, where the server refuses `initialize` in the way of those that are older, HTTP with a stream
 * of events as in 2024-11-05. https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#backwards-compatibility
 */
export function openEitherLink(
  remote: RemoteOptions,
  events: LinkEvents,
  { room, signal }: { room: FrameRoom; signal: AbortSignal },
): Link {
  /** The request that finds out, while that is under way. */
  let first: { frame: OutFrame; status: number; trying: boolean } | null = null
  const closing = new AbortController()
  const http = openHttpLink(
    remote,
    {
      ...events,
      head(id, status) {
        if (first?.frame.id === id) first.status = status
        events.head(id, status)
      },
      frame: (text, about) => orOlder(about, () => events.frame(text, about)),
      lost: (id, failure) => orOlder(id, () => events.lost(id, failure), failure),
    },
    room,
  )
  let link = http

  /** Says what the server answered, unless there is an older way to ask it. */
  function orOlder(id: number | null, say: () => void, failure?: Failure): void {
    const finding = first?.frame.id === id ? first : null
    // What else is found wrong with an answer that is not taken.
    if (finding?.trying === true) return
    if (finding !== null && older.includes(failure?.status ?? finding.status)) {
      finding.trying = true
      void goBack(finding.frame, say)
    } else {
      if (finding !== null) first = null
      say()
    }
  }

  async function goBack(frame: OutFrame, say: () => void): Promise<void> {
    try {
      const giveUp = AbortSignal.any([signal, closing.signal])
      const sse = await openSseLink(remote, events, { room, signal: giveUp })
      if (closing.signal.aborted) return await sse.close()
      first = null
      link = sse
      sse.send(frame)
    } catch {
      first = null
      if (!closing.signal.aborted) say()
    }
  }

  return {
    get dropCancels() {
      return link.dropCancels
    },
    pid: null,
    send(frame) {
      if (frame.method === 'initialize') first = { frame, status: 0, trying: false }
      link.send(frame)
    },
    drop: (id) => link.drop(id),
    ready: (agreed) => link.ready(agreed),
    async close() {
      closing.abort()
      await Promise.all([http.close(), link === http ? null : link.close()])
    },
  }
}

const older = [400, 404, 405]
