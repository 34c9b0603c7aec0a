import type { Sql } from 'postgres'
import { unclassifiedSince } from '#capture'
import { idFloor } from '#lib/ids'
import type { ClassifyExchanges } from './classify.ts'

export type BackfillOptions = {
  sql: Sql
  classify: ClassifyExchanges
  /** ms since the epoch. @default the first exchange */
  since?: number | undefined
  /** ms since the epoch, not included. @default now */
  until?: number | undefined
  onProgress?: (progress: BackfillProgress) => void
  /** Stops after the step under way. */
  signal: AbortSignal
}

export type BackfillProgress = { classified: number; passedOver: number; position: string }

const exchangesAtOnce = 128

/**
 * Classifies what is not classified yet, oldest first. What is done is in the table: stopped at any time, the same
 * call goes on from there.
 * @returns null where it was stopped before its end
 */
export async function backfill(options: BackfillOptions): Promise<BackfillProgress | null> {
  const { sql, classify, since, until, onProgress = () => {}, signal } = options
  const before = idFloor(until ?? Date.now())
  const progress = { classified: 0, passedOver: 0, position: idFloor(since ?? 0) }
  for (;;) {
    if (signal.aborted) return null
    const next = await unclassifiedSince(sql, { after: progress.position, before, limit: exchangesAtOnce })
    const last = next.at(-1)
    if (last === undefined) return progress
    const { classified, failed } = await classify(next, { signal, patient: true })
    if (signal.aborted) return null
    progress.classified += classified
    progress.passedOver += failed
    progress.position = last.id
    onProgress({ ...progress })
  }
}
