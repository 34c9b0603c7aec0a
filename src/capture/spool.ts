import { errorText, SetupError } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Commits } from './commits.ts'
import type { Spool } from './recording.ts'
import type { Depot, Step } from './spool/depot.ts'
import { Drain } from './spool/drain.ts'
import { droppedRecording } from './spool/dropped.ts'
import { openFinder } from './spool/find.ts'
import { Forwarder, type LoggingProducer } from './spool/forwarder.ts'
import type { Journal } from './spool/journal.ts'
import { OpenFiles } from './spool/open-files.ts'
import { Recorder } from './spool/recorder.ts'
import { recover } from './spool/recovery.ts'
import { Reporter } from './spool/reporter.ts'
import { Room, SpoolFullError } from './spool/room.ts'
import { RunWriter } from './spool/run-writer.ts'
import { SegmentWriter } from './spool/segment.ts'
import { type Slot, takeSlot } from './spool/slot.ts'
import { Ticker } from './spool/ticker.ts'

/*
 * The states of an exchange, each with what is on disk, and what a start after a crash makes of it.
 *
 *   memory   nothing                          nothing: it is younger than 100 ms, and no client saw its end
 *     | 85 to 100 ms old, or 256 KiB          |
 *   file     open/<k>, no SEAL                a SEAL is added: `gateway_crashed`; then as `sealed`
 *     | seal()                                |
 *   sealed   open/<k> with SEAL               becomes a batch by one rename
 *     | fold: copy, then empty the file       in the unclosed segment too? then the file is emptied
 *   segment  segments/<n>.seg                 counted, and closed by a rename
 *     | 1 MiB or 200 ms: rename               (memory -> segment at once where it is sealed in time)
 *   batch    segments/<n>-<count>-<seq>.seg   looked through for damage, and sent (again)
 *     | the store has it: state.json, delete  in state.json's `settled`? deleted, and not counted again
 *   stored   nothing
 *
 * A file larger than a segment skips `segment`: it becomes a batch by a rename. An exchange is in two files only
 * between the two halves of a fold, and no segment is closed in between; so it is never sent in two batches.
 * A batch that was sent twice under one name is stored once: the worker keeps the names that it has committed.
 *
 * Nothing is synced to the disk: what was written outlives the process, not a loss of power.
 */

export type SpoolOptions = {
  /** Holds one folder a slot; several gateways on one machine share it. */
  dir: string
  /** Bound of this slot's bytes on disk, the reserve for exchanges under way included. */
  maxBytes: number
  /** At the bound: refuse new exchanges, or let them pass unrecorded, counted as dropped. */
  whenFull: 'block' | 'drop'
  log: Logger
  producer: LoggingProducer
  commits: Commits
  /** Bodies of one exchange past this are counted, and not kept. @default 256 MiB */
  maxExchangeBytes?: number
  /** Told about every point that a crash may hit, by name. For tests. */
  step?: Step
}

/**
 * Takes a slot, brings it to order after whatever happened to its last holder, and starts to ship what is there.
 * @throws SetupError where the folder cannot be used
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { log, commits, producer, whenFull, step = () => {} } = options
  const slot = takeSlot(options.dir)
  const depot = recovered(slot, { log, step })
  const room = new Room({ dir: slot.dir, max: options.maxBytes, log })
  room.bytes = depot.bytes()
  room.refill()
  depot.onFreed = (bytes) => room.free(bytes)
  const forwarder = new Forwarder({ depot, producer, commits })
  depot.onAdded = () => forwarder.wake()
  const journal: Journal = {
    depot,
    room,
    segment: new SegmentWriter(depot, room),
    files: new OpenFiles(slot.dir, room),
    writer: new RunWriter(),
    whenFull,
    maxExchangeBytes: options.maxExchangeBytes ?? 256 * 1024 * 1024,
    open: new Set(),
    sealed: [],
    waiting: new Set(),
    closed: false,
  }
  const ticker = new Ticker(journal)
  const ledger = () => depot.view(room.bytes, room.max)
  const reporter = new Reporter(commits, ledger)
  const drain = new Drain({ root: options.dir, own: slot.dir, log, producer, commits, step })
  forwarder.wake()

  return {
    id: slot.id,
    ledger,
    find: openFinder(options.dir),
    begin(open) {
      if (journal.closed) throw new Error('recording an exchange: the spool is closed')
      ticker.wake()
      if (room.ample) return new Recorder(journal, open)
      if (whenFull === 'block') throw new SpoolFullError()
      return droppedRecording(journal)
    },
    async close(graceMs = 5_000) {
      if (journal.closed) return
      journal.closed = true
      ticker.close()
      await Promise.all([forwarder.drain(graceMs), drain.close()])
      forwarder.close()
      await reporter.close()
      await depot.close()
      slot.release()
    },
  }
}

function recovered(slot: Slot, options: { log: Logger; step: Step }): Depot {
  try {
    return recover(slot, options)
  } catch (error) {
    slot.release()
    throw new SetupError(`bringing the spool in ${slot.dir} to order: ${errorText(error)}`)
  }
}
