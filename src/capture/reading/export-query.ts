import { z } from 'zod'
import { uuid, word } from '#lib/fields'
import { exchangeFilters } from './exchange-filters.ts'
import type { ReadSql } from './messages.ts'
import { flag, wholeNumber } from './query.ts'

export const exportQuery = z.strictObject({
  what: z
    .enum(['exchanges', 'conversations'], 'must be exchanges or conversations')
    .default('exchanges')
    .meta({
      description: 'Conversations take of the filters since, until (by last activity), tenant and model',
    }),
  ...exchangeFilters,
  client: word.optional().meta({ description: 'Of conversations' }),
  session: word.optional().meta({ description: 'Of conversations, and of exchanges of MCP' }),
  bodies: flag
    .default(false)
    .meta({ description: 'Of exchanges: with headers and bytes, as text or base64' }),
  decoded: flag.default(false).meta({ description: 'With bodies: compression undone' }),
  format: z
    .enum(['openai', 'anthropic'], 'must be openai or anthropic')
    .default('openai')
    .meta({ description: 'Of conversations: the shape of messages' }),
  after: uuid.optional().meta({ description: 'Goes on after the line with this id' }),
  limit: wholeNumber.refine((n) => n >= 1, 'must be at least 1').optional(),
})

export type ExportQuery = z.infer<typeof exportQuery>

/** How an export runs: what it reads with, whose record it sees, and when nobody wants it any more. */
export type ExportRun = {
  read: ReadSql
  /** Null: of every tenant. */
  tenant: string | null
  signal: AbortSignal
}

/** One line of an export, in pieces: bodies are large. */
export type Line = { id: string; pieces: Iterable<string> | AsyncIterable<string> }
