import { z } from 'zod'
import type { Tool } from '#access'

/** A tool's entry in `tools/list`. */
export function describeTool({ name, title, description, input, readOnly }: Tool) {
  return {
    ...{ name, title, description, inputSchema: schemaOf(input) },
    annotations: { title, readOnlyHint: readOnly, openWorldHint: false },
  }
}

/** What a client sends, which is not what the tool gets: defaults are filled in and times read in between. */
function schemaOf(input: z.ZodType): Record<string, unknown> {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  if (schema.type !== 'object') throw new Error('a tool takes an object')
  // The dialect is what MCP takes for granted; ids are of no use to a reader.
  const { $schema: _, ...rest } = schema as Record<string, unknown>
  return rest
}
