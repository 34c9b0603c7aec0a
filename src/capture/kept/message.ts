import { z } from 'zod'
import { dateTime, word } from '#lib/fields'
import { id, metadata } from '../tool-input.ts'

export const roles = ['user', 'assistant', 'system', 'tool'] as const
export const role = z.enum(roles, `must be one of ${roles.join(', ')}`)

export const longest = 4 * 1024 * 1024

/** Text, or blocks as models' APIs have them. */
export const content = z
  .union(
    [z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())],
    'must be text, or blocks of content',
  )
  .transform(textOf)
  .refine((text) => text.length <= longest, `must be ${longest} characters at most`)
  .meta({ description: 'Text; blocks of content become their text, what is no text stays JSON' })

export const turnNumber = z.int().min(1).max(1_000_000_000)

export const message = z.strictObject({
  role,
  content,
  turn_number: turnNumber.optional().meta({ description: 'Default: the next; each number is there once' }),
  metadata: metadata.optional(),
})
export type Message = z.output<typeof message>

export const beginInput = z.strictObject({
  session_id: word.optional().meta({ description: 'What the client calls its session' }),
  metadata: metadata.optional(),
})

export const storeInput = z.strictObject({ conversation_id: id, ...message.shape })

export const mostMessages = 10_000

export const bulkInput = z
  .strictObject({
    messages: z.array(message).min(1).max(mostMessages).optional(),
    file: z.string().min(1).max(1_000).optional().meta({
      description:
        'Instead of messages: the name of a file in the folder files/<tenant> of the gateway’s data directory, and of no other. JSON (an array of messages) or JSON lines, also as Claude Code keeps its sessions',
    }),
    conversation_id: id.optional().meta({ description: 'Default: a new conversation' }),
    session_id: word.optional().meta({ description: 'Of a new conversation' }),
    metadata: metadata.optional().meta({ description: 'Of a new conversation' }),
  })
  .refine(({ messages, file }) => (messages === undefined) !== (file === undefined), {
    error: 'must be given, or file: one of both',
    path: ['messages'],
  })

export const listInput = z.strictObject({
  session_id: word.optional(),
  limit: z.int().min(1).max(100).default(20),
  offset: z.int().min(0).max(10_000).default(0),
  sort_by: z.enum(['updated_at', 'created_at'], 'must be updated_at or created_at').default('updated_at'),
})

export const searchInput = z.strictObject({
  query: z
    .string()
    .min(1)
    .max(1_000)
    .meta({ description: 'Words; "a phrase"; -without; either or other; begin*' }),
  session_id: word.optional(),
  start_date: dateTime.optional().meta({ description: 'ISO 8601' }),
  end_date: dateTime.optional().meta({ description: 'ISO 8601' }),
  limit: z.int().min(1).max(100).default(20),
  offset: z.int().min(0).max(1_000).default(0),
})

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return blockText(value)
  return value.map(blockText).join('\n')
}

function blockText(block: unknown): string {
  if (typeof block === 'string') return block
  const isText =
    typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string'
  return isText ? (block.text as string) : JSON.stringify(block)
}
