import { z } from 'zod'
import type { RawJson } from '../wire/message.ts'
import { withoutMembers } from '../wire/raw-json.ts'
import type { Listed, ListKind } from './catalogue.ts'

/**
 * Clients check a list as a whole: one tool that is none would cost them all others. So what does not have the shape
 * that the specification gives it is left out, and the operator is told.
 */
export function fitItem(kind: ListKind, json: RawJson): Listed | { wrong: string } {
  const value: unknown = parsed(json)
  if (typeof value !== 'object' || value === null) return { wrong: `${shortly(json)}: no object` }
  // Some servers write null for what they do not have.
  const nulls = Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] === null)
  for (const name of nulls) delete (value as Record<string, unknown>)[name]
  const shape = shapes[kind].safeParse(value)
  if (shape.success) return { name: String(shape.data[named[kind]]), json: withoutMembers(json, nulls) }
  const [issue] = shape.error.issues
  return { wrong: `${shortly(json)}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}` }
}

const text = z.string().optional()
const flag = z.boolean().optional()
const object = z.looseObject({})
const common = { title: text, description: text, _meta: object.optional(), icons: z.array(object).optional() }

const shapes = {
  tools: z.looseObject({
    ...common,
    name: z.string().min(1),
    // Arguments are an object, whatever else a schema may say of them.
    inputSchema: z.looseObject({ type: z.literal('object') }),
    outputSchema: object.optional(),
    annotations: z
      .looseObject({
        ...{ title: text, readOnlyHint: flag, destructiveHint: flag },
        ...{ idempotentHint: flag, openWorldHint: flag },
      })
      .optional(),
  }),
  prompts: z.looseObject({
    ...common,
    name: z.string().min(1),
    arguments: z.array(z.looseObject({ name: z.string(), description: text, required: flag })).optional(),
  }),
  resources: z.looseObject({ ...common, uri: z.string().min(1), name: z.string(), mimeType: text }),
  templates: z.looseObject({ ...common, uriTemplate: z.string().min(1), name: z.string(), mimeType: text }),
}

const named = { tools: 'name', prompts: 'name', resources: 'uri', templates: 'uriTemplate' } as const

function parsed(json: RawJson): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}

function shortly(json: RawJson): string {
  return json.slice(0, 60).toWellFormed()
}
