import { z } from 'zod'

/** A ladder, as an operator writes it in a route. */

const modelName = z
  .string()
  .max(264)
  .regex(/^[a-z0-9][a-z0-9-]{0,62}\/[^\p{Cc}\p{Cs}\s]{1,200}$/u, 'must be provider/model')
const schema = z.record(z.string(), z.unknown()).refine(isSchema, 'is no JSON schema that can be checked')

export const judge = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('schema'), schema }).meta({ description: 'The text is JSON that fits' }),
  z.strictObject({
    kind: z.literal('regex'),
    pattern: z.string().min(1).max(1_000).refine(isPattern, 'is no regular expression'),
    wanted: z.boolean().default(true).meta({ description: 'False: the text must not match' }),
  }),
  z
    .strictObject({ kind: z.literal('tool'), name: z.string().min(1).max(128), schema: schema.optional() })
    .meta({ description: 'It calls that tool, with arguments that fit' }),
  z.strictObject({
    kind: z.literal('model'),
    model: modelName,
    criteria: z.string().min(1).max(10_000),
    threshold: z.number().min(0).max(1).default(0.7),
  }),
])
export type JudgeSpec = z.infer<typeof judge>

const rung = z.strictObject({
  model: modelName,
  retries: z
    .int()
    .min(0)
    .max(5)
    .default(2)
    .meta({ description: 'Where the machinery fails; never goes up for that' }),
})
export type Rung = z.infer<typeof rung>

/** Of each model that a consensus asks, where the machinery fails. */
export const voiceRetries = 2

/** Cheapest first. */
const defaultRungs = ['deepseek/deepseek-chat', 'gemini/gemini-2.5-flash', 'anthropic/claude-sonnet-4-5']

export const ladderSpec = z.strictObject({
  rungs: z
    .array(rung)
    .min(1)
    .max(3)
    .default(defaultRungs.map((model) => rung.parse({ model })))
    .meta({ description: 'Cheapest first' }),
  judges: z.array(judge).min(1).max(5).meta({ description: 'All must be content' }),
  consensus: z
    .strictObject({
      models: z.array(modelName).min(2).max(10),
      k: z.int().min(1).max(10).optional().meta({ description: 'How many must agree; default: most' }),
      judge: modelName.optional().meta({ description: 'Tells which answers agree; default: by their words' }),
    })
    .optional(),
  human: z
    .strictObject({
      wait_seconds: z.int().min(0).max(600).default(30),
      instructions: z.string().max(10_000).default(''),
    })
    .optional(),
})
export type LadderSpec = z.infer<typeof ladderSpec>

function isSchema(value: Record<string, unknown>): boolean {
  try {
    z.fromJSONSchema(value as Parameters<typeof z.fromJSONSchema>[0])
    return true
  } catch {
    return false
  }
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'su') !== null
  } catch {
    return false
  }
}
