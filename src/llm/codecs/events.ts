import type { Counts, ModelError, Seal, Stop } from './model.ts'

/** What a block of a streamed answer is. */
export type Block =
  | { kind: 'text' }
  | { kind: 'refusal' }
  | { kind: 'thinking' }
  /** `wrapped` where the free text of a `custom` tool comes as JSON with one string, which must be taken out. */
  | { kind: 'call'; id: string; name: string; custom: boolean; wrapped?: boolean }

/**
 * The neutral stream: `start`, then blocks one after the other (`open`, any number of `delta` and at most one
 * `seal`, `close`), then `stop`, then `end`. `usage` may come at any time and is cumulative; `error` ends it.
 */
export type StreamEvent =
  | { type: 'start'; id: string; model: string }
  | { type: 'open'; block: Block }
  | { type: 'delta'; text: string }
  | { type: 'seal'; seal: Seal }
  | { type: 'close' }
  | { type: 'usage'; usage: Counts }
  | { type: 'stop'; stop: Stop; sequence: string | null }
  | { type: 'error'; error: ModelError }
  | { type: 'ping' }
  | { type: 'end' }

export type Emit = (event: StreamEvent) => void
