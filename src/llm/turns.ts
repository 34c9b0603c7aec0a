import type { ExchangeOpen, Outcome } from '#capture'
import { now } from '#lib/clock'
import { newId } from '#lib/ids'
import type { Call } from './call.ts'
import type { HeaderList } from './headers.ts'

type Message = string | Uint8Array

export type TurnsOptions = {
  /** The start of the first exchange's record; the others differ in id and time. */
  first: ExchangeOpen
  /** Of the upstream's answer to the upgrade. */
  headers: HeaderList
  /** @throws SpoolFullError */
  begin: (exchange: ExchangeOpen) => Call
}

/**
 * Cuts what passes on a connection into exchanges: on `/v1/responses` one a turn, from the client's message to the
 * event that ends the response; elsewhere one a connection. Messages of one side are joined by newlines.
 */
export class Turns {
  readonly #options: TurnsOptions
  readonly #byTurn: boolean
  #call: Call | null = null
  #count = 0
  #asked = false
  #answered = false

  constructor(options: TurnsOptions) {
    this.#options = options
    this.#byTurn = options.first.dialect === 'openai-responses'
    if (!this.#byTurn) this.#current()
  }

  /** Is an answer due? */
  get waiting(): boolean {
    return this.#byTurn && this.#call !== null
  }

  /** @throws SpoolFullError */
  fromClient(message: Message): void {
    const call = this.#current()
    if (this.#asked) call.request(newline)
    this.#asked = true
    call.request(bytesOf(message))
  }

  /** Only when this returned, or its promise resolved, may the message go to the client. @throws SpoolFullError */
  fromServer(message: Message): void | Promise<void> {
    const call = this.#current()
    if (this.#answered) call.response(newline)
    this.#answered = true
    call.response(bytesOf(message))
    if (this.#byTurn && endsTurn(message)) return this.#end('completed', null)
  }

  /** The connection is over. A turn that the client did not see the end of ends with that outcome. */
  close(outcome: Outcome, reason: string | null): void | Promise<void> {
    // A connection on which nothing passed is on record too: its id was given to the client.
    if (this.#call === null && this.#count > 0) return
    this.#current()
    return this.#end(
      this.#byTurn && !this.#asked && outcome !== 'client_gone' ? 'completed' : outcome,
      reason,
    )
  }

  #current(): Call {
    if (this.#call !== null) return this.#call
    const { first, headers, begin } = this.#options
    const startedAt = now()
    const own = this.#count === 0 ? {} : { id: newId(Math.floor(startedAt)) }
    const call = begin({ ...first, ...own, ...(this.#byTurn ? { started_at: startedAt } : {}) })
    call.answered(101, headers)
    this.#call = call
    this.#count += 1
    return call
  }

  #end(outcome: Outcome, reason: string | null): void | Promise<void> {
    const call = this.#call
    this.#call = null
    this.#asked = false
    this.#answered = false
    return call?.end(outcome, reason)
  }
}

const newline = new TextEncoder().encode('\n')

function bytesOf(message: Message): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message) : message
}

const terminal = [
  'response.completed',
  'response.failed',
  'response.incomplete',
  'response.cancelled',
  'error',
]

/** Parsed only where the word stands in it as a whole string: most messages are small pieces of text. */
function endsTurn(message: Message): boolean {
  if (typeof message !== 'string' || !terminal.some((type) => message.includes(`"${type}"`))) return false
  try {
    const event: unknown = JSON.parse(message)
    return (
      typeof event === 'object' && event !== null && 'type' in event && terminal.includes(String(event.type))
    )
  } catch {
    return false
  }
}
