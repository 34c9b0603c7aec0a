import type { Hop } from '../record/recorder.ts'
import { notificationFrame, oneLine, requestFrame, responseFrame } from '../wire/frame.ts'
import type { Id, RawJson } from '../wire/message.ts'
import { type Calls, openCalls, type Settled } from './calls.ts'
import { envelopeOf } from './envelope.ts'
import { failureAnswer } from './failure.ts'
import type { Hops } from './hops.ts'
import type { Link, LinkEvents, OpenLink } from './link.ts'
import { receiver, tooLarge } from './receiving.ts'
import { begun, unaskedHops, unrecorded } from './unasked.ts'
import type { UpstreamCall } from './upstream.ts'

/** A link with requests on it. Which revision it speaks is for the handshake to find out. */
export type Connection = {
  calls: Calls
  link: Link
  /** From now on. */
  speak(speech: Speech): void
  /** A client's request. `headers`: what HTTP repeats of its params. */
  request(call: UpstreamCall, headers?: Repeated): Promise<Settled>
  /** One of our own. Its frames go to that hop, which stays open; by default to that of what comes unasked. */
  ask(ask: Ask): Promise<Settled>
  notify(method: string, params: RawJson, hop?: Hop): void
  close(): Promise<void>
}

/** What is spoken: before the handshake's end, what is tried. */
export type Speech = { era: 'legacy' | 'modern'; version: string | null }

export type Repeated = readonly (readonly [string, string])[]

export type Ask = {
  method: string
  params: RawJson
  hop?: Hop
  /** Null: as long as the connection lasts. */
  timeoutMs: number | null
  onNotification?(method: string, params: RawJson): void
  signal?: AbortSignal
}

export type ConnectionEvents = {
  tell(method: string, params: RawJson): void
  gap(): void
  /** Nothing new can be sent; what is under way may still be answered. */
  away(reason: string): void
  /** The server knows the session no more. */
  forgotten(): void
  closed(reason: string): void
  stray(why: string): void
}

export type ConnectionOptions = {
  hops: Hops
  events: ConnectionEvents
  clientInfo: RawJson
  /** Gives up the opening. */
  signal: AbortSignal
}

/** @throws ConnectError */
export async function openConnection(
  openLink: OpenLink,
  { hops, events, clientInfo, signal }: ConnectionOptions,
): Promise<Connection> {
  const calls = openCalls()
  const unasked = unaskedHops(hops)
  let speech: Speech = { era: 'legacy', version: null }
  let link: Link | null = null

  const receive = receiver({
    calls,
    unasked: unasked.get,
    tell: events.tell,
    stray: events.stray,
    reply: (id, answer) => write(responseFrame(id, answer), { id: null, method: null }),
  })
  const linkEvents: LinkEvents = {
    frame(text, about) {
      try {
        receive(text, about)
      } catch (error) {
        // One frame, or one listener, must not end what all share.
        events.stray(`a frame could not be handled: ${error instanceof Error ? error.message : ''}`)
      }
    },
    oversized: (id, bytes, about) => oversized(calls, id ?? about, bytes, events),
    head(id, status) {
      const call = calls.get(id)
      if (call !== undefined) call.status = status
    },
    awaited: (id) => calls.get(id) !== undefined,
    lost: (id, failure) => calls.fail(id, failure),
    gap: events.gap,
    forgotten: events.forgotten,
    away: events.away,
    closed(reason) {
      calls.end({ kind: 'gone', message: reason })
      unasked.end()
      events.closed(reason)
    },
  }

  const hopOf = (id: number) => ({ id, era: speech.era, version: speech.version ?? '', clientInfo })

  function write(
    text: string,
    about: { id: number | null; method: string | null; params?: RawJson },
    more?: Repeated,
  ) {
    const { era, version } = speech
    const { id, method, params = '{}' } = about
    link?.send({ text, id, method, params, version, era, ...(more === undefined ? {} : { headers: more }) })
  }

  function cancel(id: number, reason: string): void {
    const method = calls.get(id)?.method
    if (link?.dropCancels !== true && method !== 'initialize') {
      const params = JSON.stringify({ requestId: id, reason })
      write(notificationFrame(cancelled, params), { id: null, method: cancelled, params })
    }
    link?.drop(id)
  }

  async function request(call: UpstreamCall, headers?: Repeated): Promise<Settled> {
    const hop = begun(() => hops.call(call))
    if ('kind' in hop) return { answer: failureAnswer(hop), failure: hop }
    call.onExchange?.(hop.id)
    const id = calls.nextId()
    const { params, token } = envelopeOf(call, hopOf(id))
    const { method, timeoutMs, signal } = call
    const text = requestFrame(id, method, params)
    hop.request(`${text}\n`)
    const settled = calls.open(id, {
      ...{ method, hop, token, timeoutMs, signal, cancel, listener: call, foreign: true, endsHop: true },
      maxTimeoutMs: call.maxTimeoutMs ?? 10 * timeoutMs,
    })
    if (calls.get(id) !== undefined) write(text, { id, method, params }, headers)
    return await settled
  }

  async function ask(one: Ask): Promise<Settled> {
    const { method, timeoutMs } = one
    const hop = one.hop ?? unasked.get() ?? unrecorded
    const id = calls.nextId()
    const { params } = envelopeOf(one, hopOf(id))
    const text = requestFrame(id, method, params)
    hop.request(`${text}\n`)
    const settled = calls.open(id, {
      ...{ method, hop, token: null, timeoutMs, cancel, foreign: false, endsHop: false },
      signal: one.signal ?? null,
      maxTimeoutMs: timeoutMs ?? 0,
      listener: { onNotification: one.onNotification ?? (() => {}), maxBytes: 8 * 1_048_576 },
    })
    if (calls.get(id) !== undefined) write(text, { id, method, params })
    return await settled
  }

  link = await openLink(linkEvents, calls.room, signal)
  return {
    calls,
    link,
    speak: (now) => {
      speech = now
    },
    request,
    ask,
    notify(method, params, hop) {
      const text = notificationFrame(method, params)
      ;(hop ?? unasked.get())?.request(`${oneLine(text)}\n`)
      write(text, { id: null, method, params })
    },
    async close() {
      calls.end({ kind: 'gone', message: 'The connection was closed' })
      unasked.end()
      await link?.close()
    },
  }
}

const cancelled = 'notifications/cancelled'

function oversized(calls: Calls, id: Id | null, bytes: number, events: ConnectionEvents): void {
  const call = typeof id === 'number' ? calls.get(id) : undefined
  if (call === undefined) events.stray(`a frame of ${bytes} bytes for nobody`)
  else calls.fail(call.id, tooLarge(bytes, call.listener.maxBytes))
}
