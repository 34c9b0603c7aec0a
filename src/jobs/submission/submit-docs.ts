import { z } from 'zod'
import type { Registry } from '../registry.ts'
import { batchItem, submission } from './shapes.ts'

/** The bodies as the document shows them: one shape a kind, each with the kind's own input. */
export function submissionSchema(registry: Registry): z.ZodType {
  return oneOf(registry, submission)
}

export function batchSchema(registry: Registry): z.ZodType {
  return z.array(oneOf(registry, batchItem))
}

function oneOf({ kinds }: Registry, shape: typeof submission): z.ZodType {
  return z.union(
    kinds.map(({ name, summary, input }) =>
      shape.extend({ kind: z.literal(name), input }).meta({ title: name, description: summary }),
    ),
  )
}
