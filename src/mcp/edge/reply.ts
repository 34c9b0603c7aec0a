import type { Outcome } from '#capture'
import type { Hop } from '../record/recorder.ts'
import type { Answer } from '../wire/message.ts'
import type { Accepts } from './accept.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Outlet } from './outlet.ts'
import { openSse, type SseLimits, type SseStream, sseEvent } from './sse-stream.ts'

/** The HTTP answer to one POST: a JSON object, or, where something precedes the result, a stream of events. */
export type Reply = Outlet & {
  response: Promise<Response>
  /** Goes on where a stream broke off; null: it is no stream, or what comes next is not held any more. */
  resume(after: number, onOver: () => void): SseStream | null
}

export type ReplyOptions = {
  hop: Hop
  accepts: Accepts
  heartbeat: Heartbeat
  limits: SseLimits
  headers: Record<string, string>
  /** May the client come back to the stream, with `Last-Event-ID`? Then its going is no end. */
  resumable: boolean
  /** Begins a stream with an event that has an id only. */
  priming: boolean
  /** HTTP status of an answer that is a single JSON object. */
  statusOf(answer: Answer | null): number
  /** The client hung up, on a stream that it cannot resume. */
  onGone(): void
  /** Called once, when it becomes a stream. */
  onStream(): void
  /** So long an answer may take before a stream says that we live. @default 800 */
  decideMs?: number
}

/** Of the events of a stream that its client may come back to, this much is held. */
const heldBytes = 8 * 1024 * 1024

export function openReply(options: ReplyOptions): Reply {
  const { hop, accepts, heartbeat, limits, headers, resumable, priming, statusOf, decideMs = 800 } = options
  const { promise: response, resolve, reject } = Promise.withResolvers<Response>()
  let stream: SseStream | null = null
  let state: 'undecided' | 'streaming' | 'finished' = 'undecided'
  let count = 0
  const held: { n: number; text: string }[] = []
  let size = 0
  const timer = accepts.stream ? setTimeout(startStream, accepts.json ? decideMs : 0) : undefined

  return {
    response,
    canSend: accepts.stream,
    send(frame) {
      if (state === 'finished' || !accepts.stream) return
      if (state === 'undecided') startStream()
      const text = event(frame)
      hop.response(text)
      stream?.send(text)
    },
    async finish(frame, { answer, gone }) {
      if (state === 'finished') return
      clearTimeout(timer)
      const streamed = state === 'streaming'
      state = 'finished'
      const text = frame === null ? '' : streamed ? event(frame) : frame
      const isGone = gone || (streamed && !stream?.isOpen())
      const status = streamed || frame === null ? 200 : statusOf(answer)
      if (text !== '') hop.response(text)
      try {
        await hop.end({ ...endOf(answer, isGone), status })
      } catch (error) {
        stream?.cut()
        return reject(error)
      }
      if (!streamed) return resolve(whole(frame, status))
      if (text !== '') stream?.send(text)
      stream?.end()
    },
    resume(after, onOver) {
      if (state !== 'streaming') return null
      const next = held[0]?.n ?? count + 1
      if (after + 1 < next) return null
      stream?.cut()
      const missed = held.filter(({ n }) => n > after).map(({ text }) => text)
      stream = newStream({ first: missed.join(''), onOver })
      return stream
    },
  }

  function startStream(): void {
    if (state !== 'undecided') return
    clearTimeout(timer)
    state = 'streaming'
    options.onStream()
    stream = newStream()
    if (priming) {
      const text = `id: ${hop.id}_0\ndata:\n\n`
      hop.response(text)
      stream.send(text)
    }
    resolve(stream.response)
  }

  function newStream(more: { first?: string; onOver?: () => void } = {}): SseStream {
    const made: SseStream = openSse({
      ...{ ...limits, heartbeat, headers, ...more },
      onGone() {
        if (!resumable && stream === made) options.onGone()
      },
    })
    return made
  }

  function event(frame: string): string {
    if (!resumable) return sseEvent(frame)
    count += 1
    const text = sseEvent(frame, `${hop.id}_${count}`)
    held.push({ n: count, text })
    size += text.length
    while (size > heldBytes && held.length > 1) size -= held.shift()?.text.length ?? 0
    return text
  }

  function whole(frame: string | null, status: number): Response {
    if (frame !== null)
      return new Response(frame, { status, headers: { ...headers, 'content-type': 'application/json' } })
    if (!accepts.stream) return new Response(null, { status: 202, headers })
    return new Response('', { headers: { ...headers, 'content-type': 'text/event-stream' } })
  }
}

/** How it is told in the record. */
export function endOf(answer: Answer | null, gone: boolean): { outcome: Outcome; error: string | null } {
  if (gone || answer === null) return { outcome: 'client_gone', error: answer === null ? 'cancelled' : null }
  if ('result' in answer) return { outcome: 'completed', error: null }
  return { outcome: 'upstream_error', error: `rpc ${answer.error.code}` }
}
