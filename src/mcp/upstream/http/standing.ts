import { waitAfter } from '../backoff.ts'
import type { LinkEvents } from '../link.ts'
import { openEventStream } from './event-stream.ts'
import { isEventStream } from './http-answer.ts'
import { askRemote, failureOf, isUnreachable, type RemoteOptions } from './remote.ts'

/** A GET stream of the legacy era, opened again whenever it ends. */
export type Standing = { stop(): void; done: Promise<void> }

export type StandingOptions = {
  remote: RemoteOptions
  session: { id: string | null; version: string | null }
  /** The request whose broken stream goes on here; null: what the server says by itself. */
  about: number | null
  from: { lastId: string | null; retryMs: number | null }
  room(): number
  events: LinkEvents
}

const waits = { baseMs: 1_000, mostMs: 30_000 }
/** Tries in vain to go on with the stream of one request, before it is given up. */
const mostTries = 5

/** Goes on from the last event; the server says how long to wait before. */
export function standing(options: StandingOptions): Standing {
  const { remote, session, about, events, room } = options
  const abort = new AbortController()
  const { signal } = abort
  let { lastId, retryMs } = options.from
  let failures = 0

  async function run(): Promise<void> {
    if (about !== null) await pause()
    for (let first = about === null; wanted(); first = false) {
      if (!first && about === null && lastId === null) events.gap()
      const goesOn = await once()
      if (goesOn && wanted()) await pause()
      else if (!goesOn) break
    }
    if (about !== null && !signal.aborted && events.awaited(about)) {
      events.lost(about, { kind: 'gone', message: 'The stream of the answer could not be taken up again' })
    }
  }

  /** False: there is no such stream, and it need not be tried again. */
  async function once(): Promise<boolean> {
    try {
      const response = await askRemote(remote, {
        method: 'GET',
        headers: headers(),
        signal,
        patient: about !== null,
      })
      if (!response.ok || !isEventStream(response)) return await without(response)
      failures = 0
      await read(response)
    } catch (error) {
      if (signal.aborted) return false
      failures += 1
      if (isUnreachable(error)) events.away(failureOf(error, remote).message)
    }
    return about === null || failures < mostTries
  }

  async function without(response: Response): Promise<boolean> {
    await response.body?.cancel()
    failures += 1
    if (response.status === 404 && session.id !== null) events.forgotten()
    return response.status >= 500 && failures < mostTries
  }

  async function read(response: Response): Promise<void> {
    const stream = openEventStream(
      {
        event: ({ data }) => events.frame(data, about),
        oversized: (bytes, id) => events.oversized(id, bytes, about),
      },
      room,
    )
    try {
      for await (const chunk of response.body ?? []) {
        stream.push(chunk)
        if (!wanted()) break
      }
    } finally {
      lastId = stream.lastId() ?? lastId
      retryMs = stream.retryMs() ?? retryMs
    }
  }

  function wanted(): boolean {
    return !signal.aborted && (about === null || events.awaited(about))
  }

  async function pause(): Promise<void> {
    const ms = failures === 0 && retryMs !== null ? retryMs : waitAfter(failures, waits)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      function end() {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
    })
  }

  function headers(): Record<string, string> {
    return {
      accept: 'text/event-stream',
      ...(session.id === null ? {} : { 'mcp-session-id': session.id }),
      ...(session.version === null ? {} : { 'mcp-protocol-version': session.version }),
      ...(lastId === null ? {} : { 'last-event-id': lastId }),
    }
  }

  return { stop: () => abort.abort(), done: run() }
}
