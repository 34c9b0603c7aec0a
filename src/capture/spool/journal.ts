import type { Depot } from './depot.ts'
import type { OpenFile, OpenFiles } from './open-files.ts'
import type { Recorder } from './recorder.ts'
import type { Room } from './room.ts'
import type { RunWriter } from './run-writer.ts'
import type { SegmentWriter } from './segment.ts'

/** What all recordings of a gateway share. */
export type Journal = {
  depot: Depot
  room: Room
  segment: SegmentWriter
  files: OpenFiles
  writer: RunWriter
  whenFull: 'block' | 'drop'
  /** Bodies of one exchange past this many bytes are counted, and not kept. */
  maxExchangeBytes: number
  /** Begun, not sealed. */
  open: Set<Recorder>
  /** Sealed in files of their own; to be folded. */
  sealed: SealedFile[]
  /** Sealed, and waiting for room. */
  waiting: Set<Waiting>
  closed: boolean
}

export type SealedFile = { file: OpenFile; seq: number }

export type Waiting = {
  recorder: Recorder
  /** ms on the clock of `performance.now()`. */
  deadline: number
  resolve: () => void
  reject: (error: unknown) => void
}
