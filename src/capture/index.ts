/**
 * What was said.
 *
 * exchange   one request and its response
 * recording  an exchange while it happens
 * spool      the gateway's append-only files; what is sealed there survives the process
 * segment    one spool file; also the batch that travels on the `logging` queue
 * ledger     the count of exchanges by where they are; it always adds up
 * content    the raw bytes of exchanges in the store, kept once
 * turn       one readable message of a conversation
 */
export { type Classes, classes } from './classes.ts'
export type {
  CaptureMode,
  ExchangeAttempt,
  ExchangeEnd,
  ExchangeOpen,
  McpFacts,
  Metered,
  Outcome,
  Protocol,
  RecordedExchange,
  Routed,
  Usage,
} from './exchange.ts'
export {
  type Interpret,
  type Interpretation,
  interpretBy,
  type Message,
  type SessionRef,
  type ToolUse,
} from './interpretation.ts'
export { openReading, type Reading, type ReadingOptions } from './reading/reading.ts'
export type { Replay, ReplayOptions } from './reading/replay.ts'
export type { FoundExchange, Recording, SealedEnd, Spool, SpoolLedger } from './recording.ts'
export { SpoolFullError } from './spool/room.ts'
export { openSpool, type SpoolOptions } from './spool.ts'
export { exchangesChannel } from './storing/announce.ts'
export {
  type ClassifiedExchange,
  storeClasses,
  type Unclassified,
  unclassified,
  unclassifiedSince,
} from './storing/classes.ts'
export { openCommits } from './storing/commits.ts'
export { type Contents, openContents, readContent } from './storing/content.ts'
export { type RebuildOptions, type RebuildProgress, rebuild } from './storing/rebuild.ts'
export type { Account, Accountable } from './storing/store.ts'
