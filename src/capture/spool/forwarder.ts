import { existsSync } from 'node:fs'
import { errorText } from '#lib/errors'
import type { LoggingPayload } from '#queues/logging'
import type { BatchResult, Commits } from '../commits.ts'
import type { Batch, Depot } from './depot.ts'
import { Gate } from './gate.ts'
import { inspect } from './inspect.ts'
import { pause } from './limit.ts'
import { Poller } from './poller.ts'
import { setAside } from './quarantine.ts'
import { maxOutstanding, segmentBytes } from './segment.ts'

/** What the forwarder needs of the queue engine's producer. */
export type LoggingProducer = { enqueue(payload: LoggingPayload, options: { id: string }): Promise<void> }

const resendSlowestMs = 300_000
const retryFirstMs = 100
const retrySlowestMs = 5_000

const nothing: BatchResult = { stored: 0, quarantined: 0 }

type ForwarderOptions = {
  depot: Depot
  producer: LoggingProducer
  commits: Commits
  /** A batch that the store does not know after this long is sent again. @default 30000 */
  resendAfterMs?: number
}

type Part = { batch: Batch; part: number; parts: number }

/**
 * Ships a depot's batches to the queue, oldest first, and has the depot forget each when the store is known to have
 * it. While the queue or the store is down it waits, holding one batch in memory at most.
 */
export class Forwarder {
  readonly #depot: Depot
  readonly #producer: LoggingProducer
  readonly #resendAfterMs: number
  readonly #poller: Poller
  readonly #under = new Set<Batch>()
  /** Jobs that the queue has and the store does not, as far as is known. */
  readonly #outstanding = new Gate(maxOutstanding)
  /** One at a time, so that the queue gets them in order. */
  readonly #enqueuing = new Gate(1)
  #closed = false
  #emptied: (() => void)[] = []

  constructor(options: ForwarderOptions) {
    this.#depot = options.depot
    this.#producer = options.producer
    this.#resendAfterMs = options.resendAfterMs ?? 30_000
    this.#poller = new Poller(options.depot.id, options.commits, (error) => this.#tell('store', error))
  }

  /** Starts on batches that are not under way yet. */
  wake(): void {
    for (const batch of this.#depot.batches) {
      if (this.#closed || this.#under.size >= maxOutstanding) return
      if (this.#under.has(batch)) continue
      this.#under.add(batch)
      void this.#forward(batch)
    }
  }

  /** Resolves when everything is in the store, or when that takes longer than this. */
  async drain(limitMs: number): Promise<void> {
    this.wake()
    if (this.#depot.batches.length === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#emptied.push(resolve)
    const timer = setTimeout(resolve, limitMs)
    await promise
    clearTimeout(timer)
  }

  close(): void {
    this.#closed = true
    this.#poller.close()
  }

  async #forward(batch: Batch): Promise<void> {
    try {
      const result = await this.#ship(batch).catch((error) => this.#gone(batch, error))
      this.#under.delete(batch)
      this.#depot.settle(batch, result)
    } catch (error) {
      if (this.#closed) return
      this.#depot.log.error(
        { batch: batch.number, reason: errorText(error) },
        'spool: a batch cannot be shipped yet',
      )
      await pause(retrySlowestMs)
      this.#under.delete(batch)
    }
    this.wake()
    if (this.#depot.batches.length === 0) for (const done of this.#emptied.splice(0)) done()
  }

  async #ship(batch: Batch): Promise<BatchResult> {
    const parts = Math.max(1, Math.ceil(batch.bytes / segmentBytes))
    const first = Array.from({ length: parts - 1 }, (_, part) => this.#send({ batch, part, parts }))
    await Promise.all(first)
    return this.#send({ batch, part: parts - 1, parts })
  }

  /** Somebody deleted the file: its exchanges are lost, and must not be waited for. */
  #gone(batch: Batch, error: unknown): BatchResult {
    if (this.#closed || existsSync(batch.path)) throw error
    this.#depot.log.error(
      { path: batch.path, exchanges: batch.exchanges },
      'spool: a segment is gone from the disk',
    )
    this.#depot.inspected(batch, 0)
    return nothing
  }

  #send(part: Part): Promise<BatchResult> {
    return this.#outstanding.run(async () => {
      const last = part.part === part.parts - 1
      if (!(await this.#enqueue(part))) return nothing
      if (last) this.#depot.queued(part.batch)
      for (let patience = this.#resendAfterMs; ; patience = Math.min(patience * 2, resendSlowestMs)) {
        const result = await this.#poller.wait(nameOf(part), patience)
        if (result !== null) return result
        if (last) await this.#sendMissing(part)
        await this.#enqueue(part, 'again')
      }
    })
  }

  /** Sends the parts before the last again that the store does not have, or not any more. */
  async #sendMissing({ batch, parts }: Part): Promise<void> {
    for (let part = 0; part < parts - 1; part++) {
      const missing = (await this.#poller.wait(nameOf({ batch, part, parts }), 0)) === null
      if (missing) await this.#enqueue({ batch, part, parts }, 'again')
    }
  }

  /**
   * Sends a part, as often as it takes. Each time that it is sent again it has a name of its own: the engine ignores a
   * job whose name it still knows, as one that failed. False where nothing of the batch is left that could be sent.
   */
  #enqueue(part: Part, again?: 'again'): Promise<boolean> {
    const number = part.parts > 1 ? `${part.batch.number}-p${part.part}` : `${part.batch.number}`
    const id = `${this.#depot.id}-${number}${again === undefined ? '' : `-r${Date.now()}`}`
    return this.#enqueuing.run(async () => {
      for (let failures = 0; ; failures++) {
        if (this.#closed) throw new Error('the forwarder is closed')
        const frames = await this.#read(part)
        if (frames === null) return false
        try {
          await this.#producer.enqueue(await this.#payload(part, frames), { id })
          if (failures > 0) this.#tell('queue', null)
          return true
        } catch (error) {
          if (failures === 0) this.#tell('queue', error)
          const wait = Math.min(retryFirstMs * 2 ** failures, retrySlowestMs)
          await pause(wait * (0.5 + Math.random() / 2))
        }
      }
    })
  }

  async #payload({ batch, part, parts }: Part, frames: Uint8Array): Promise<LoggingPayload> {
    const packed = await Bun.zstdCompress(frames, { level: 1 })
    return {
      v: 1,
      spool: this.#depot.id,
      batch: String(batch.number),
      floor: this.#depot.floor(),
      part,
      parts,
      frames: packed.toString('base64'),
    }
  }

  /** The part's bytes. A batch of an earlier process is looked through; null where nothing of it can be sent. */
  async #read({ batch, part, parts }: Part): Promise<Uint8Array | null> {
    if (parts > 1)
      return Bun.file(batch.path)
        .slice(part * segmentBytes, (part + 1) * segmentBytes)
        .bytes()
    const bytes = await Bun.file(batch.path).bytes()
    if (!batch.found) return bytes
    const { frames, exchanges, broken } = inspect(bytes)
    for (const piece of broken) setAside(this.#depot.dir, `${batch.number}-${piece.at}`, piece.bytes)
    this.#depot.inspected(batch, exchanges)
    return exchanges === 0 ? null : frames
  }

  #tell(what: 'queue' | 'store', error: unknown): void {
    const { log, id, batches } = this.#depot
    const facts = { spool: id, batches: batches.length }
    if (error === null) log.info(facts, `spool: the ${what} is back`)
    else log.warn({ ...facts, reason: errorText(error) }, `spool: the ${what} is down, batches wait on disk`)
  }
}

/** As the store knows it. */
function nameOf({ batch, part, parts }: Part): string {
  return part === parts - 1 ? `${batch.number}` : `${batch.number}-p${part}`
}
