import { z } from 'zod'
import { defineKind, type Kind } from '../kind.ts'
import { failedCall } from './failed-call.ts'

const word = z.string().min(1).max(200)
const input = z.strictObject({
  what: z.enum(['exchanges', 'conversations']).default('exchanges'),
  format: z.enum(['openai', 'anthropic']).optional().meta({ description: 'Of conversations' }),
  bodies: z.boolean().default(false).meta({ description: 'Of exchanges: with headers and bytes' }),
  decoded: z.boolean().default(false).meta({ description: 'With bodies: compression undone' }),
  since: word.optional().meta({ description: 'ISO 8601, or ms since the epoch' }),
  until: word.optional(),
  ...{ model: word.optional(), provider: word.optional(), key_id: word.optional(), status: word.optional() },
  ...{ outcome: word.optional(), tag: word.optional(), route: word.optional(), dialect: word.optional() },
  ...{ conversation: z.uuid().optional(), session: word.optional(), client: word.optional() },
  limit: z.int().min(1).optional(),
})

const result = z.object({
  lines: z.int(),
  bytes: z.int(),
  complete: z.boolean(),
  after: z.string().nullable().meta({ description: 'Where a further export would go on' }),
})

const trailer = z.object({
  type: z.literal('end'),
  ...{ count: z.int(), complete: z.boolean(), after: z.string().nullable() },
})
/** The last line of an export is short. */
const tailBytes = 4_096

/** What `/api/export` gives, kept with the job until somebody downloads it. */
export function exportKind(): Kind {
  return defineKind({
    name: 'export',
    summary: 'Writes exchanges or conversations as JSON lines into a file, to be downloaded from the job',
    ...{ input, result, defaults: { attempts: 3, timeoutMs: 3_600_000 }, needs: ['read'] },
    async run(asked, { call, signal, file, progress }) {
      const answer = await call(`/api/export?${queryOf(asked)}`, { signal })
      if (!answer.ok) throw await failedCall('export', answer)
      let bytes = 0
      let lines = 0
      let tail: Uint8Array = new Uint8Array()
      for await (const piece of answer.body ?? []) {
        bytes += piece.length
        for (const byte of piece) if (byte === newline) lines++
        tail = Buffer.concat([tail, piece]).subarray(-tailBytes)
        await file(piece)
        progress(0, `${lines} lines, ${bytes} bytes`)
      }
      const end = trailer.safeParse(lastLine(tail))
      if (!end.success) throw new Error('export: it broke off before its end')
      return { lines: end.data.count, bytes, complete: end.data.complete, after: end.data.after }
    },
  })
}

const newline = 0x0a

function queryOf(asked: z.output<typeof input>): URLSearchParams {
  const { bodies, decoded, ...rest } = asked
  const flags = { ...(bodies ? { bodies: '1' } : {}), ...(decoded ? { decoded: '1' } : {}) }
  const given = Object.entries({ ...rest, ...flags }).filter(([, value]) => value !== undefined)
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))
}

function lastLine(tail: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(tail).toString().trimEnd().split('\n').at(-1) ?? '')
  } catch {
    return null
  }
}
