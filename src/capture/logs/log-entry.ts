import { z } from 'zod'
import { dateTime, word } from '#lib/fields'
import { json } from '../tool-input.ts'

export const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const

/** In any case of letters; kept in capitals. */
export const level = z
  .string()
  .refine(
    (text) => (levels as readonly string[]).includes(text.toUpperCase()),
    'must be ERROR, WARN, INFO, DEBUG or TRACE',
  )
  .transform((text) => text.toUpperCase() as (typeof levels)[number])
  .meta({ examples: [...levels] })

const aheadMs = 3_600_000

export const logEntry = z.strictObject({
  level,
  component: word.meta({ description: 'What wrote it' }),
  message: z.string().max(64 * 1024, 'must be 65536 characters at most'),
  trace_id: word.optional().meta({ description: 'What belongs together has the same' }),
  data: json.optional(),
  created_at: dateTime
    .refine((ms) => ms >= 0 && ms <= Date.now() + aheadMs, 'must not lie in the future')
    .optional()
    .meta({ description: 'ISO 8601. Default: now' }),
})
export type LogEntry = z.output<typeof logEntry>

export const logBatch = z.strictObject({
  logs: z.array(logEntry).min(1).max(1_000).meta({ description: 'Stored together or not at all' }),
})

export const logQuery = z.strictObject({
  trace_id: word.optional(),
  component: word.optional(),
  level: level.optional().meta({ description: 'This one and what is worse: WARN finds WARN and ERROR' }),
  start_time: dateTime.optional(),
  end_time: dateTime.optional(),
  search: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .meta({ description: 'Words; "a phrase"; -without; begin*' }),
  limit: z.int().min(1).max(1_000).default(100),
})
export type LogQuery = z.output<typeof logQuery>

export const logClearance = z.strictObject({
  before_time: dateTime.optional().meta({ description: 'ISO 8601. Default: 7 days ago' }),
  component: word.optional(),
  level: level.optional().meta({ description: 'This one only' }),
})
export type LogClearance = z.output<typeof logClearance>
