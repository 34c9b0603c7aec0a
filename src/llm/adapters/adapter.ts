import type { Usage } from '#capture'
import type { ModelRequest, Part, Stop, Turn } from '../codecs/model.ts'

/**
 * One way to ask a model, whoever's it is: keyed by API shape, the vendor is data. Adapters hold nothing open and may
 * be used by many at once.
 */
export type Adapter = {
  readonly metadata: AdapterMetadata
  /** What is missing before a call could work, found without one; empty where nothing is. */
  validateConfig(): Problem[]
  /** @throws AskError; SluiceError 400 where the question cannot be said in that API */
  generate(question: Question): Promise<Said>
  /**
   * Pieces as they come, and last `end`, always, with what was said in all.
   * @throws as `generate`, before the first piece or after any
   */
  stream(question: Question): AsyncGenerator<Piece, void>
}

export type AdapterMetadata = {
  /** Of the provider, which is the name that it is registered by. */
  name: string
  model: string
  /** The API shape. */
  dialect: string
  /** On the operator's own machines: costs nothing, and nothing leaves. */
  local: boolean
}

/** `pointer` as in RFC 6901, into the configuration. */
export type Problem = { pointer: string; detail: string }

export type Question = Partial<Omit<ModelRequest, 'model' | 'stream' | 'turns'>> & {
  turns: readonly Turn[]
  signal: AbortSignal
  /** Put on the exchange. */
  tags?: readonly string[]
  /** Exchanges with the same name are one conversation. */
  conversation?: string
}

export type Said = {
  /** The text of all `parts`. */
  text: string
  parts: Part[]
  stop: Stop
  /** As the provider names it. */
  model: string
  usage: Usage | null
  /** Micro-units of USD; null where no price is known. */
  costMicros: number | null
  /** Its record; null where there is none. */
  exchange: string | null
  ms: number
}

export type Piece = { type: 'text' | 'thinking'; text: string } | { type: 'end'; said: Said }

/** Sends a request through the gateway, where it is counted and recorded. The URL's host and credentials do not count. */
export type Send = (request: Request) => Promise<Response>
