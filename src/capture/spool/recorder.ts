import type { ExchangeEnd, ExchangeOpen } from '../exchange.ts'
import type { Recording, SealedEnd } from '../recording.ts'
import { Intake } from './intake.ts'
import type { Journal } from './journal.ts'
import type { OpenFile } from './open-files.ts'
import { SpoolFullError } from './room.ts'
import { idBytes, type Kind, kinds } from './wire.ts'

/** What an open exchange holds in memory is written when it is this old, or this much. */
export const flushAfterMs = 85
export const flushBytes = 256 * 1024
export const waitForRoomMs = 10_000

/**
 * Where the exchange is: only in memory, in a file of its own, about to be sealed, sealed or given up; or left as it
 * was when the spool was closed.
 */
type State = 'memory' | 'file' | 'sealing' | 'done' | 'left'

/** The recording of one exchange. What happens to it in which state is written down in `spool.ts`. */
export class Recorder implements Recording {
  readonly #journal: Journal
  readonly #open: ExchangeOpen
  readonly #intake: Intake
  #state: State = 'memory'
  #file: OpenFile | null = null
  #end: SealedEnd | null = null
  #flushedAt = performance.now()
  /** Why bytes are missing from what was kept, if they are. */
  #cut: 'spool-full' | 'record-too-large' | null = null

  constructor(journal: Journal, open: ExchangeOpen) {
    this.#journal = journal
    this.#open = open
    this.#intake = new Intake(open.mode)
    journal.open.add(this)
    journal.depot.ledger.open += 1
  }

  request(bytes: Uint8Array): void {
    this.#take(kinds.request, bytes)
  }

  response(bytes: Uint8Array): void {
    this.#take(kinds.response, bytes)
  }

  seal(end: SealedEnd): void | Promise<void> {
    if (this.#state === 'sealing' || this.#state === 'done') return
    if (this.#state === 'left') throw new Error('sealing an exchange: the spool is closed')
    this.#end = end
    this.#state = 'sealing'
    this.#journal.open.delete(this)
    this.#journal.depot.ledger.open -= 1
    const sealed = this.trySeal()
    if (this.#journal.whenFull === 'drop') return sealed ? undefined : this.#drop()
    if (!sealed) return this.#waitForRoom()
    if (this.#cut === 'spool-full') return Promise.reject(new SpoolFullError())
  }

  /** Is there something to write that is old enough? */
  due(now: number): boolean {
    return now - this.#flushedAt >= flushAfterMs && (this.#file === null || this.#intake.held > 0)
  }

  /** Writes what is held. Keeps it where there is no room. */
  flush(now: number): void {
    if (this.#file !== null && this.#intake.held === 0) return
    if (this.#attempt(() => this.#flushHeld())) this.#flushedAt = now
  }

  /** Makes the sealed exchange durable. False where there is no room. */
  trySeal(): boolean {
    return this.#attempt(() => {
      if (this.#intake.held > flushBytes) this.#flushHeld()
      const { depot, segment, writer, sealed } = this.#journal
      const seq = depot.ledger.seq + 1
      const end = this.#sealedEnd(seq)
      this.#beginFrames()
      this.#writeHeld()
      writer.seal(end)
      if (this.#file === null) {
        segment.append(writer.view(), seq)
      } else {
        this.#file.append(writer.view())
        sealed.push({ file: this.#file, seq })
      }
      depot.ledger.accept('spooled')
      this.#finish()
    })
  }

  /** Gives up an exchange whose client was told so. False where part of it is on disk and waits for its SEAL. */
  abandon(): boolean {
    if (this.#file !== null) return false
    this.#finish()
    return true
  }

  /** Leaves the exchange as it is on disk: the next start records that the gateway went away. */
  leave(): void {
    this.flush(performance.now())
    this.#file?.close()
    this.#finish()
    this.#state = 'left'
  }

  #take(kind: Kind, bytes: Uint8Array): void {
    if ((this.#state !== 'memory' && this.#state !== 'file') || bytes.length === 0) return
    const intake = this.#intake
    intake.count(kind, bytes)
    if (this.#cut !== null) return
    if (intake.kept + bytes.length > this.#journal.maxExchangeBytes) {
      this.#cut = 'record-too-large'
      return
    }
    intake.keep(kind, bytes)
    if (intake.held < flushBytes) return
    this.flush(performance.now())
    if (intake.held >= flushBytes) this.#cutOff()
  }

  /** Memory is bounded, also where the disk takes nothing any more. */
  #cutOff(): void {
    this.#cut = 'spool-full'
    this.#intake.dropHeld()
  }

  #flushHeld(): void {
    const { depot, files, writer } = this.#journal
    if (this.#file === null) {
      this.#file = files.take()
      if (this.#state === 'memory') this.#state = 'file'
      depot.step('open:created')
    }
    const file = this.#file
    this.#intake.drain(flushBytes, (chunks) => {
      this.#beginFrames()
      for (const [kind, pieces] of chunks) writer.body(kind, pieces)
      file.append(writer.view())
      depot.step('open:appended')
    })
  }

  /** A file that is still empty starts with OPEN. */
  #beginFrames(): void {
    const { writer } = this.#journal
    if (this.#file === null || this.#file.size === 0) writer.open(this.#open)
    else writer.begin(idBytes(this.#open.id))
  }

  #writeHeld(): void {
    this.#journal.writer.body(kinds.request, this.#intake.requests)
    this.#journal.writer.body(kinds.response, this.#intake.responses)
  }

  #sealedEnd(seq: number): ExchangeEnd {
    const end = this.#end
    if (end === null) throw new Error('sealing an exchange: its end is not known')
    const cut = this.#cut
    const { metered, ...told } = end
    return {
      ...told,
      seq,
      outcome: cut === 'spool-full' ? 'damaged' : end.outcome,
      error: cut === 'spool-full' ? cut : (end.error ?? cut),
      request_bytes: this.#intake.requestBytes,
      response_bytes: this.#intake.responseBytes,
      ...this.#intake.digests(),
      ...(this.#open.mode === 'metadata' && metered !== undefined ? { metered } : {}),
    }
  }

  #drop(): void {
    if (this.#file !== null) this.#journal.files.giveBack(this.#file)
    this.#journal.depot.ledger.accept('dropped')
    this.#finish()
  }

  #waitForRoom(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const deadline = performance.now() + waitForRoomMs
    this.#journal.waiting.add({ recorder: this, deadline, resolve, reject })
    return promise
  }

  #finish(): void {
    this.#state = 'done'
    this.#file = null
    this.#intake.dropHeld()
  }

  #attempt(write: () => void): boolean {
    try {
      write()
      return true
    } catch (error) {
      if (error instanceof SpoolFullError) return false
      throw error
    }
  }
}
