import { z } from 'zod'
import { defineQueue } from './queue.ts'

/**
 * A batch of recorded exchanges on its way from a gateway's spool to the store. The frames travel as one
 * opaque compressed string: a queue engine may keep its jobs as JSON, which is not safe for bytes.
 *
 * A batch too large for one job travels in parts: its bytes cut anywhere, so only the concatenation of all parts
 * in their order can be read. The last part is enqueued when all others are committed.
 */
export const loggingPayload = z.object({
  v: z.literal(1),
  /** The spool that the batch comes from: one per gateway slot, stable over restarts. */
  spool: z.string().min(1),
  /** The batch's name in its spool: a rising decimal number, never used again. Makes storing it idempotent. */
  batch: z.string().min(1),
  /** All batches of the spool numbered below this are committed and forgotten by the forwarder. */
  floor: z.int().nonnegative(),
  part: z.int().nonnegative(),
  parts: z.int().positive(),
  /** zstd-compressed frames, base64. */
  frames: z.base64(),
})

export type LoggingPayload = z.infer<typeof loggingPayload>

export const logging = defineQueue<LoggingPayload>({
  name: 'logging',
  payload: loggingPayload,
  opaque: true,
  retry: { attempts: 20, backoffMs: 250, backoffMaxMs: 10_000 },
  // A finished job still weighs its megabyte, in Redis in memory. The spool keeps what failed, and sends it again.
  retention: { completed: { count: 10, ageSeconds: 600 }, failed: { count: 50, ageSeconds: 7 * 86_400 } },
})
