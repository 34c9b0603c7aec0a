import { z } from 'zod'
import type { Kind } from './kind.ts'

const made = new WeakMap<z.ZodType, Record<string, unknown>>()

/** What a kind takes, as JSON Schema. */
export function schemaOf({ input }: Pick<Kind, 'input'>): Record<string, unknown> {
  const known = made.get(input)
  if (known !== undefined) return known
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  made.set(input, schema)
  return schema
}
