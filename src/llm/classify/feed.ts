import type { Producer, QueueCounts } from '#broker'
import type { Accountable } from '#capture'
import { newId } from '#lib/ids'
import type { Logger } from '#lib/log'
import type { ClassificationPayload } from '#queues/classification'

/** Hands what was stored on to be classified. */
export type ClassificationFeed = {
  /** Returns at once, and never throws. */
  add(stored: readonly Accountable[]): void
  /** Sends what waits. */
  close(): Promise<void>
}

export type FeedOptions = {
  producer: Pick<Producer<ClassificationPayload>, 'enqueue'>
  counts: () => Promise<QueueCounts>
  log: Logger
  /** How long ids are collected for one job. @default 500 */
  everyMs?: number
  /** Jobs that may wait; beyond them nothing is added, and left to `bun run classify`. @default 2000 */
  mostWaiting?: number
}

const idsAtOnce = 200
const mostPending = 10_000
const countEveryMs = 10_000

/** Collects ids for half a second into one job. Best effort: while the queue is away or too long, ids are dropped. */
export function openClassificationFeed(options: FeedOptions): ClassificationFeed {
  const { producer, counts, log, everyMs = 500, mostWaiting = 2_000 } = options
  let pending: string[] = []
  let timer: Timer | null = null
  let sending: Promise<void> = Promise.resolve()
  let countedAt = Number.NEGATIVE_INFINITY
  let isFull = false

  return {
    add(stored) {
      const ids = stored.filter(isClassifiable).map(({ exchange }) => exchange.open.id)
      if (ids.length === 0) return
      pending.push(...ids.slice(0, mostPending - pending.length))
      timer ??= setTimeout(flush, everyMs)
    },
    async close() {
      if (timer !== null) clearTimeout(timer)
      flush()
      await sending
    },
  }

  function flush(): void {
    timer = null
    const ids = pending
    pending = []
    if (ids.length > 0) sending = sending.then(() => send(ids))
  }

  async function send(ids: readonly string[]): Promise<void> {
    try {
      if (await isTooLong()) return
      for (let at = 0; at < ids.length; at += idsAtOnce)
        await producer.enqueue({ v: 1, ids: ids.slice(at, at + idsAtOnce) }, { id: newId() })
    } catch (error) {
      log.debug({ error, ids: ids.length }, 'classification: not enqueued')
    }
  }

  async function isTooLong(): Promise<boolean> {
    if (performance.now() - countedAt > countEveryMs) {
      countedAt = performance.now()
      const { waiting } = await counts()
      if (waiting >= mostWaiting && !isFull) {
        log.warn(
          { waiting },
          'classification: the queue is too long; `bun run classify` makes up for it later',
        )
      }
      isFull = waiting >= mostWaiting
    }
    return isFull
  }
}

/** A first look; the worker's own is in the table (capture, storing/classes.ts). */
function isClassifiable({ exchange: { open, end }, means }: Accountable): boolean {
  return (
    open.mode === 'full' &&
    end.outcome === 'completed' &&
    means.error === null &&
    (end.status ?? 0) < 300 &&
    !open.tags.includes('sluice-internal') &&
    (means.reply !== null || open.dialect === 'openai-embeddings')
  )
}
