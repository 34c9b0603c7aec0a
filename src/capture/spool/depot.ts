import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { BatchResult } from '../commits.ts'
import type { SpoolLedger } from '../recording.ts'
import { Ledger } from './ledger.ts'
import { quarantineBytes } from './quarantine.ts'
import type { StateFile } from './state.ts'

/** A closed segment on its way to the store. */
export type Batch = {
  number: number
  path: string
  bytes: number
  /** Exchanges in it that are expected in the store. */
  exchanges: number
  /** Exchanges in it that turned out to be unreadable. */
  lost: number
  place: 'spooled' | 'queued'
  /** True: it was written by an earlier process, and must be looked through before it is sent. */
  found: boolean
}

/** Marks a point between two steps that a crash may part. Tests crash there. */
export type Step = (name: string) => void

type DepotOptions = { dir: string; id: string; state: StateFile; log: Logger; step: Step }

/** The closed segments of a slot, oldest first, and the slot's ledger. */
export class Depot {
  readonly id: string
  readonly dir: string
  readonly ledger = new Ledger()
  readonly batches: Batch[] = []
  readonly step: Step
  readonly log: Logger
  /** Called when a batch is gone. */
  onFreed: (bytes: number) => void = () => {}
  onAdded: () => void = () => {}
  /** The number of the segment that is not closed yet. */
  writing: number | null = null
  readonly #state: StateFile
  #number = 0
  #settled: number[] = []
  readonly #forgetting = new Set<Promise<void>>()

  constructor(options: DepotOptions) {
    this.id = options.id
    this.dir = options.dir
    this.log = options.log
    this.step = options.step
    this.#state = options.state
    this.#number = options.state.found?.batch ?? 0
  }

  /** A number for a segment. It follows the clock, so that it stays unused even where the state was lost. */
  nextNumber(): number {
    this.#number = Math.max(this.#number + 1, Date.now())
    return this.#number
  }

  seen(number: number): void {
    this.#number = Math.max(this.#number, number)
  }

  /** All batches numbered below this are in the store and forgotten here. The one being written counts too. */
  floor(): number {
    return Math.min(this.batches[0]?.number ?? this.#number, this.writing ?? this.#number)
  }

  add(batch: Batch): void {
    this.batches.push(batch)
    if ((this.batches.at(-2)?.number ?? 0) > batch.number) this.batches.sort((a, b) => a.number - b.number)
    this.onAdded()
  }

  queued(batch: Batch): void {
    if (batch.place === 'queued') return
    batch.place = 'queued'
    this.ledger.move(batch.exchanges, 'spooled', 'queued')
  }

  /** Corrects what a batch was thought to hold, after a look at its bytes. */
  inspected(batch: Batch, whole: number): void {
    const missing = batch.exchanges - whole
    batch.exchanges = whole
    if (missing > 0) {
      batch.lost += missing
      this.ledger.move(missing, batch.place, 'quarantined')
    } else {
      this.ledger.count(-missing, batch.place)
    }
  }

  /** The store has the batch: counted first, then deleted, so that a crash in between counts nothing twice. */
  settle(batch: Batch, result: BatchResult): void {
    const odd = result.stored + result.quarantined - batch.exchanges
    if (odd !== 0) {
      this.log.warn(
        { batch: batch.number, odd },
        'spool: the store counted a batch differently, its count is taken',
      )
    }
    this.ledger.accepted += odd
    this.ledger.at[batch.place] -= batch.exchanges
    this.ledger.at.stored += result.stored
    this.ledger.at.quarantined += result.quarantined
    this.batches.splice(this.batches.indexOf(batch), 1)
    this.#settled.push(batch.number)
    this.save()
    this.step('settle:counted')
    const forgotten = this.#forget(batch).finally(() => this.#forgetting.delete(forgotten))
    this.#forgetting.add(forgotten)
  }

  save(): void {
    const lost = this.batches.reduce((sum, batch) => sum + batch.lost, 0)
    const { accepted, seq, at } = this.ledger
    this.#state.write({
      v: 1,
      seq,
      accepted,
      stored: at.stored,
      quarantined: at.quarantined - lost,
      dropped: at.dropped,
      batch: this.#number,
      settled: this.#settled.slice(-200),
    })
  }

  /** Bytes on disk: what is to be sent, and what was put aside. */
  bytes(): number {
    return this.batches.reduce((sum, batch) => sum + batch.bytes, 0) + quarantineBytes(this.dir)
  }

  view(bytes: number, max: number): SpoolLedger {
    const { accepted, at, open } = this.ledger
    return { spool: this.id, accepted, ...at, open, bytes, max_bytes: max }
  }

  async close(): Promise<void> {
    await Promise.all(this.#forgetting)
    this.save()
    this.#state.close()
  }

  /** Not on the event loop: to free the blocks of a segment takes a file system up to a millisecond. */
  async #forget(batch: Batch): Promise<void> {
    try {
      await rm(batch.path, { force: true })
      this.step('settle:deleted')
      this.#settled = this.#settled.filter((number) => number !== batch.number)
      this.onFreed(batch.bytes)
    } catch (error) {
      this.log.error(
        { path: batch.path, reason: errorText(error) },
        'spool: a stored segment cannot be deleted',
      )
    }
  }
}

export function segmentsIn(dir: string): string {
  return join(dir, 'segments')
}

/** The count and the highest number of its exchanges are in a closed segment's name: a start reads no backlog. */
export function closedName(number: number, exchanges: number, seq: number): string {
  return `${number}-${exchanges}-${seq}.seg`
}
