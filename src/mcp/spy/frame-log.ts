import type { Outcome } from '#capture'
import { now } from '#lib/clock'
import { newId } from '#lib/ids'
import { type Fields, fieldsOf, isFields, parse, word } from '../record/fields.ts'
import { identityOf } from '../record/identity.ts'
import type { Hop, HopOpen, Recorder } from '../record/recorder.ts'

/** One thing that passed on a spied connection. Pongs are not told: each side of us answers pings by itself. */
export type SpiedFrame =
  | { text: string }
  | { base64: string }
  | { ping: string }
  | { close: number; reason: string }

export type Direction = 'client' | 'server'

/** How the connection's own part of the record ends, and that of calls that were not answered. */
export type Ending = { outcome: Outcome; unanswered: Outcome; error: string | null }

/** A call that waits for its answer has a hop of its own; more than that many are recorded with the rest. */
const mostCalls = 256
const pieceBytes = 1024 * 1024

/**
 * The record of one spied connection. Each frame is a line of JSON, with its number on this connection and its time:
 * `{"n":3,"at":1790000000000.5,"from":"server","text":"…"}`. A request of the client and its answer are an exchange
 * of their own; all other frames are in exchanges of the connection, cut where they grow. They have one parent: the
 * connection's first, whose id the client was given.
 */
export class FrameLog {
  readonly id = newId()
  readonly #recorder: Recorder
  readonly #open: HopOpen
  readonly #calls = new Map<string, Hop>()
  #rest: Hop | null
  #restBytes = 0
  #restSince = performance.now()
  #count = 0

  /** @throws SpoolFullError */
  constructor(recorder: Recorder, open: HopOpen) {
    this.#recorder = recorder
    this.#open = open
    this.#rest = recorder.begin({ ...open, id: this.id })
  }

  /**
   * Before the frame is passed on, or, where there is a promise, after it resolved.
   * @throws SpoolFullError, also as a rejection
   */
  add(from: Direction, frame: SpiedFrame): void | Promise<void> {
    this.#count += 1
    const line = `${JSON.stringify({ n: this.#count, at: now(), from, ...frame })}\n`
    const message = 'text' in frame ? messageIn(frame.text) : null
    if (message === null) return this.#addRest(from, line)
    if (from === 'client' && isRequest(message)) return this.#ask(message, line)
    const call = from === 'server' && isAnswer(message) ? this.#calls.get(keyOf(message)) : undefined
    if (call === undefined) return this.#addRest(from, line)
    this.#calls.delete(keyOf(message))
    call.response(line)
    return call.end({ outcome: 'completed', status: null, error: null })
  }

  /** Makes what passed in the last while an exchange that is whole, and so can be read. */
  cut(olderThanMs: number): void | Promise<void> {
    if (this.#restBytes === 0 || performance.now() - this.#restSince < olderThanMs) return
    return this.#endRest({ outcome: 'completed', status: 101, error: null })
  }

  async close({ outcome, unanswered, error }: Ending): Promise<void> {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    const ends = calls.map((call) => call.end({ outcome: unanswered, status: null, error }))
    await Promise.all([...ends, this.#endRest({ outcome, status: 101, error })])
  }

  #ask(message: Fields, line: string): void | Promise<void> {
    const key = keyOf(message)
    if (this.#calls.size >= mostCalls || this.#calls.has(key)) return this.#addRest('client', line)
    const params = fieldsOf(message.params)
    const meta = params._meta === undefined ? null : JSON.stringify(params._meta)
    const { toolUse, session, agent } = identityOf(meta, this.#open.headers)
    const hop = this.#recorder.begin({
      ...this.#open,
      id: newId(),
      parent: this.id,
      ...{ rpc: word(message.method), name: word(params.name) ?? word(params.uri) },
      ...{ toolUse, clientSession: session, clientAgent: agent },
    })
    hop.request(line)
    this.#calls.set(key, hop)
  }

  #addRest(from: Direction, line: string): void | Promise<void> {
    this.#rest ??= this.#recorder.begin({ ...this.#open, id: newId(), parent: this.id })
    if (this.#restBytes === 0) this.#restSince = performance.now()
    this.#restBytes += line.length
    if (from === 'client') this.#rest.request(line)
    else this.#rest.response(line)
    if (this.#restBytes >= pieceBytes) return this.cut(0)
  }

  #endRest(end: { outcome: Outcome; status: number; error: string | null }): void | Promise<void> {
    const rest = this.#rest
    this.#rest = null
    this.#restBytes = 0
    return rest?.end(end)
  }
}

function messageIn(text: string): Fields | null {
  const value = text.startsWith('{') || /^\s*\{/.test(text) ? parse(text) : undefined
  return isFields(value) ? value : null
}

function isRequest({ id, method }: Fields): boolean {
  return typeof method === 'string' && (typeof id === 'string' || typeof id === 'number')
}

function isAnswer(message: Fields): boolean {
  return message.method === undefined && ('result' in message || 'error' in message)
}

/** `1` and `"1"` are two ids. */
function keyOf({ id }: Fields): string {
  return JSON.stringify(id) ?? ''
}
