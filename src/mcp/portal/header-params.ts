import type { RawJson } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'

/** An argument of a tool that clients repeat in the header `Mcp-Param-<header>`. */
export type HeaderParam = { path: string[]; header: string }

/** By the annotation `x-mcp-header` in its input schema, where objects lead to it by their properties alone. */
export function headerParams(tool: RawJson): HeaderParam[] {
  if (!tool.includes('x-mcp-header')) return []
  const schema = memberOf(tool, 'inputSchema')
  return schema === null ? [] : walk(JSON.parse(schema), [])
}

function walk(schema: unknown, path: string[]): HeaderParam[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties, 'x-mcp-header': header } = schema as Record<string, unknown>
  const own = typeof header === 'string' && path.length > 0 ? [{ path, header }] : []
  if (typeof properties !== 'object' || properties === null) return own
  return [...own, ...Object.entries(properties).flatMap(([name, inner]) => walk(inner, [...path, name]))]
}
