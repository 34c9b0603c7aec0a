import { z } from 'zod'
import { text, word } from '#lib/fields'
import { mostModels } from './models.ts'

/** What goes in and out of `/api/orchestra`. */

/** Of all that is sent with one prompt, in characters as they travel. */
export const mostCharacters = 12 * 1024 * 1024
const mostFiles = 10

export const modelName = z
  .string()
  .max(264)
  .regex(/^[a-z0-9][a-z0-9-]{0,62}\/[^\p{Cc}\p{Cs}\s]{1,200}$/u, 'must be provider/model')

export const modelNames = z
  .array(modelName)
  .min(1)
  .max(mostModels)
  .refine((names) => new Set(names).size === names.length, 'names a model twice')

export const file = z
  .strictObject({
    name: word,
    media_type: z
      .string()
      .regex(/^[\w.+-]+\/[\w.+-]+$/, 'must be a media type')
      .default('text/plain'),
    text: text.optional(),
    base64: z.base64().optional().meta({ description: 'For images and PDF' }),
  })
  .refine(
    ({ text, base64 }) => (text === undefined) !== (base64 === undefined),
    'must hold text or base64, one of both',
  )
  .refine(
    ({ base64, media_type }) => base64 === undefined || /^image\/|^application\/pdf$/.test(media_type),
    'in base64 only images and PDF are taken',
  )
export type SentFile = z.infer<typeof file>

export const sendBody = z
  .strictObject({
    prompt: text.min(1),
    system: text.optional(),
    files: z.array(file).max(mostFiles).default([]),
    models: modelNames.optional().meta({ description: 'Default: those that were set' }),
    max_tokens: z.int().min(1).max(128_000).default(8_192),
    temperature: z.number().min(0).max(2).optional(),
    timeout_seconds: z.int().min(1).max(1_800).default(600).meta({ description: 'For each model' }),
    consensus: z
      .strictObject({
        k: z
          .int()
          .min(1)
          .max(mostModels)
          .optional()
          .meta({ description: 'How many must agree; default: most' }),
        judge: modelName
          .optional()
          .meta({ description: 'Tells which answers agree; default: by their words' }),
      })
      .optional(),
    summary: z
      .strictObject({ model: modelName.optional().meta({ description: 'Default: the first that answered' }) })
      .optional(),
  })
  .refine(
    ({ prompt, system = '', files }) =>
      prompt.length +
        system.length +
        files.reduce((sum, one) => sum + (one.text ?? one.base64 ?? '').length, 0) <=
      mostCharacters,
    `prompt and files are more than ${mostCharacters} characters together`,
  )
export type SendBody = z.infer<typeof sendBody>

export const result = z.object({
  model: z.string(),
  status: z.enum(['succeeded', 'failed', 'cancelled']),
  text: z.string().nullable(),
  stop: z.string().nullable().meta({ description: 'Why it ended: end, length, refusal, …' }),
  tokens: z.object({ input: z.int().nullable(), output: z.int().nullable() }).nullable(),
  cost_micros: z.int().nullable().meta({ description: 'Null: no price is known' }),
  ms: z.int(),
  exchange_id: z.string().nullable(),
  error: z.object({ code: z.string(), status: z.int(), message: z.string() }).nullable(),
  file: z.string().nullable().meta({ description: 'Where it was written, under the folder of set_output' }),
})
export type Result = z.infer<typeof result>

export const consensus = z.object({
  reached: z.boolean(),
  needed: z.int(),
  agreement: z.number().meta({ description: 'The largest group as a part of those who answered' }),
  by: z.string().meta({ description: '`words`, or the model that judged' }),
  groups: z
    .array(z.object({ models: z.array(z.string()), text: z.string() }))
    .meta({ description: 'Largest first' }),
})
export type Consensus = z.infer<typeof consensus>

export const outcome = z.object({
  id: z.uuid(),
  results: z.array(result),
  consensus: consensus.nullable(),
  summary: result.nullable(),
  total: z.object({ cost_micros: z.int(), unpriced: z.int(), ms: z.int() }),
  warnings: z.array(z.string()),
})
export type Outcome = z.infer<typeof outcome>

export const modelsBody = z.strictObject({
  models: modelNames.nullable().meta({ description: 'Null: the default ones' }),
})
export const outputBody = z.strictObject({
  folder: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,62}$/,
      'must be 1 to 63 of a-z, 0-9 and . _ -, not starting with one of these',
    )
    .nullable()
    .meta({ description: 'Null: no files' }),
})

export const configView = z.object({
  models: z.array(z.string()),
  are_default: z.boolean(),
  folder: z.string().nullable(),
  limits: z.object({ models: z.int(), files: z.int(), characters: z.int() }),
})
export type ConfigView = z.infer<typeof configView>
export const limits: ConfigView['limits'] = {
  models: mostModels,
  files: mostFiles,
  characters: mostCharacters,
}

export const modelView = z.object({
  model: z.string(),
  provider: z.string(),
  selected: z.boolean(),
  ready: z.boolean(),
  problems: z.array(z.string()),
})
export const keyView = z.object({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  source: z.enum(['env', 'database']),
})
