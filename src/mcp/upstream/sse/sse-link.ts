import { ConnectError } from '../failure.ts'
import { openEventStream } from '../http/event-stream.ts'
import { bodyOf, isEventStream, pieceOf } from '../http/http-answer.ts'
import { askRemote, failureOf, isUnreachable, type RemoteOptions } from '../http/remote.ts'
import type { FrameRoom, Link, LinkEvents, OutFrame } from '../link.ts'

const connectMs = 15_000

/**
 * HTTP with a stream of events, as in revision 2024-11-05: all answers come on one stream, whose first event says
 * where to post.
 * @throws ConnectError
 */
export async function openSseLink(
  remote: RemoteOptions,
  events: LinkEvents,
  { room, signal: given }: { room: FrameRoom; signal: AbortSignal },
): Promise<Link> {
  const abort = new AbortController()
  const { signal } = abort
  let open = true
  const target = await firstEvent()

  async function firstEvent(): Promise<string> {
    const giveUp = () => abort.abort()
    const timer = setTimeout(giveUp, connectMs)
    given.addEventListener('abort', giveUp)
    try {
      const response = await askRemote(remote, {
        method: 'GET',
        headers: { accept: 'text/event-stream' },
        signal,
        patient: true,
      })
      if (!response.ok || !isEventStream(response)) {
        await response.body?.cancel()
        throw new ConnectError(`The server answered HTTP ${response.status} and no stream of events`)
      }
      const endpoint = await new Promise<string>((resolve, reject) => {
        void read(response, resolve).then(reject, reject)
      })
      return endpointOf(endpoint, remote.url)
    } catch (error) {
      abort.abort()
      throw error instanceof ConnectError ? error : new ConnectError(failureOf(error, remote).message)
    } finally {
      clearTimeout(timer)
      given.removeEventListener('abort', giveUp)
    }
  }

  /** To the stream's end, which is that of the link. */
  async function read(response: Response, onEndpoint: (url: string) => void): Promise<ConnectError> {
    const stream = openEventStream(
      {
        event({ event, data }) {
          if (event === 'endpoint') onEndpoint(data)
          else if (open) events.frame(data, null)
        },
        oversized: (bytes, id) => events.oversized(id, bytes, null),
      },
      room,
    )
    let reason = 'The stream of the server ended'
    try {
      for await (const chunk of response.body ?? []) stream.push(chunk)
    } catch (error) {
      reason = failureOf(error, remote).message
    }
    close(reason)
    return new ConnectError(reason)
  }

  async function post({ text, id }: OutFrame): Promise<void> {
    try {
      const headers = { 'content-type': 'application/json' }
      const response = await askRemote(remote, {
        method: 'POST',
        headers,
        body: text,
        signal,
        patient: true,
        url: target,
      })
      const body = await bodyOf(response, room)
      if (id === null) return
      events.head(id, response.status)
      const piece = 'text' in body ? pieceOf(response, body.text, false) : null
      if (!response.ok && piece !== null && 'kind' in piece) events.lost(id, piece)
    } catch (error) {
      if (!open) return
      const failure = failureOf(error, remote)
      if (id !== null) events.lost(id, failure)
      if (isUnreachable(error)) events.away(failure.message)
    }
  }

  function close(reason: string): void {
    if (!open) return
    open = false
    abort.abort()
    events.closed(reason)
  }

  return {
    dropCancels: false,
    pid: null,
    send: (frame) => void post(frame),
    drop() {},
    ready() {},
    async close() {
      open = false
      abort.abort()
    },
  }
}

/** A server may say where to post, on its own origin. */
function endpointOf(endpoint: string, url: string): string {
  const target = URL.parse(endpoint, url)
  if (target === null || target.origin !== new URL(url).origin) {
    throw new ConnectError('The server wants messages to be posted to another host')
  }
  return target.href
}
