import { headerValue } from './header-value.ts'

/** Where in a tool's arguments a header's value stands. */
export type Annotation = { header: string; path: readonly string[] }

/**
 * The `x-mcp-header` annotations of a tool's input schema.
 * @throws Error with what is wrong with them: such a tool must not be shown
 */
export function annotationsOf(inputSchema: unknown): Annotation[] {
  const found: Annotation[] = []
  walk(inputSchema, [], true, found)
  const names = found.map(({ header }) => header.toLowerCase())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new Error(`x-mcp-header: two parameters are to become ${twice}`)
  return found
}

/** What HTTP repeats of a call's arguments; absent and null ones are not. */
export function headersFor(annotations: readonly Annotation[], args: unknown): [string, string][] {
  const headers: [string, string][] = []
  for (const { header, path } of annotations) {
    const value = path.reduce((inner: unknown, step) => (isObject(inner) ? inner[step] : undefined), args)
    if (['string', 'number', 'boolean'].includes(typeof value)) {
      headers.push([`Mcp-Param-${header}`, headerValue(String(value))])
    }
  }
  return headers
}

/** Checked without the validator, which the relay, whose client waits for its start, does not load. */
const annotation = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** `reachable`: by a chain of `properties` alone. */
function walk(schema: unknown, path: readonly string[], reachable: boolean, found: Annotation[]): void {
  if (Array.isArray(schema)) for (const element of schema) walk(element, path, false, found)
  if (!isObject(schema)) return
  if (Object.hasOwn(schema, 'x-mcp-header')) found.push(checked(schema, path, reachable))
  for (const [keyword, inner] of Object.entries(schema)) {
    if (keyword !== 'properties' || !isObject(inner)) walk(inner, path, false, found)
    else
      for (const [name, property] of Object.entries(inner)) walk(property, [...path, name], reachable, found)
  }
}

function checked(schema: Record<string, unknown>, path: readonly string[], reachable: boolean): Annotation {
  const where = path.join('.') || 'the root'
  const name = schema['x-mcp-header']
  if (typeof name !== 'string' || !annotation.test(name))
    throw new Error(`x-mcp-header of ${where} is no name of a header`)
  if (!reachable || path.length === 0) throw new Error(`x-mcp-header of ${where} stands where no argument is`)
  if (!['string', 'integer', 'boolean'].includes(String(schema.type))) {
    throw new Error(`x-mcp-header of ${where} is of type ${String(schema.type)}`)
  }
  return { header: name, path }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
