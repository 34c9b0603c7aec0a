import type { InspectedQueue } from './engine.ts'
import type { EngineJob, EngineState } from './inspect.ts'
import type { RedisClient } from './redis-client.ts'

const fields = [
  'name',
  'timestamp',
  'delay',
  'processedOn',
  'finishedOn',
  'atm',
  'failedReason',
  'opts',
] as const

/** BullMQ lists what has a priority apart from what has none; it runs first. */
export async function redisIds(
  queue: InspectedQueue,
  state: EngineState,
  { start, count }: { start: number; count: number },
): Promise<string[]> {
  const end = start + count - 1
  if (state !== 'waiting') return await queue.getRanges([state], start, end, !hasEnded.has(state))
  const { prioritized = 0 } = await queue.getJobCounts('prioritized')
  const first = start < prioritized ? await queue.getRanges(['prioritized'], start, end, true) : []
  const from = Math.max(0, start - prioritized)
  const left = count - first.length
  if (left <= 0) return first
  return [...first, ...(await queue.getRanges(['waiting'], from, from + left - 1, true))]
}

const hasEnded = new Set<EngineState>(['completed', 'failed'])

/** Jobs without what they carry: BullMQ's own lists load all of it. One round trip. */
export async function redisHeads(
  client: RedisClient,
  keyPrefix: string,
  ids: readonly string[],
): Promise<EngineJob[]> {
  if (ids.length === 0) return []
  const pipeline = client.pipeline()
  for (const id of ids) {
    pipeline.hmget(`${keyPrefix}:${id}`, ...fields)
    pipeline.hstrlen(`${keyPrefix}:${id}`, 'data')
  }
  const answers = (await pipeline.exec()) ?? []
  return ids.flatMap((id, n) => {
    const [error, values] = answers[2 * n] ?? []
    if (error) throw error
    const [name, timestamp, delay, processedOn, finishedOn, atm, failedReason, opts] = values as (
      | string
      | null
    )[]
    // Removed since its id was read.
    if (name == null) return []
    const added = Number(timestamp)
    return {
      id,
      name,
      added_at: added,
      due_at: Number(delay) > 0 ? added + Number(delay) : null,
      started_at: processedOn ? Number(processedOn) : null,
      ended_at: finishedOn ? Number(finishedOn) : null,
      attempts: Number(atm ?? 0),
      attempts_most: attemptsIn(opts),
      error: failedReason ?? null,
      data_bytes: Number(answers[2 * n + 1]?.[1] ?? 0),
    }
  })
}

function attemptsIn(opts: string | null | undefined): number {
  try {
    return Number(JSON.parse(opts ?? '{}').attempts ?? 1)
  } catch {
    return 1
  }
}
