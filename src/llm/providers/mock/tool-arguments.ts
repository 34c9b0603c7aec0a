import { type Json, list, object } from '../../dialects/json.ts'

/** The smallest value that fits a JSON schema, always the same one. Gemini's upper-case types fit too. */
export function fitSchema(schema: unknown, root: unknown = schema, depth = 0): unknown {
  const rule = object(schema)
  if (rule === null || depth > 12) return null
  const first = list(rule.enum)[0]
  if (first !== undefined) return first
  for (const known of [rule.const, rule.default, list(rule.examples)[0]])
    if (known !== undefined) return known
  if (typeof rule.$ref === 'string') return fitSchema(resolve(rule.$ref, root), root, depth + 1)
  const choice = list(rule.anyOf)[0] ?? list(rule.oneOf)[0] ?? list(rule.allOf)[0]
  if (choice !== undefined) return fitSchema(choice, root, depth + 1)
  const type = String(Array.isArray(rule.type) ? rule.type[0] : (rule.type ?? guessType(rule))).toLowerCase()
  if (type === 'object') return fitObject(rule, root, depth)
  if (type === 'array') return Array.from(lengthOf(rule), () => fitSchema(rule.items, root, depth + 1))
  if (type === 'integer' || type === 'number') return Math.max(Number(rule.minimum ?? 1), 1)
  if (type === 'boolean') return true
  return type === 'null' ? null : fitString(rule)
}

function fitObject(rule: Json, root: unknown, depth: number): Json {
  const properties = object(rule.properties) ?? {}
  const required = list(rule.required).map(String)
  return Object.fromEntries(required.map((name) => [name, fitSchema(properties[name], root, depth + 1)]))
}

function fitString(rule: Json): string {
  const formats: Record<string, string> = {
    'date-time': '2026-01-01T00:00:00Z',
    date: '2026-01-01',
    uri: 'https://example.com/',
    email: 'mock@example.com',
    uuid: '00000000-0000-4000-8000-000000000000',
  }
  return (formats[String(rule.format)] ?? 'mock').padEnd(Math.min(Number(rule.minLength ?? 0), 1_000), '.')
}

function guessType(rule: Json): string {
  if (rule.properties !== undefined) return 'object'
  return rule.items === undefined ? 'string' : 'array'
}

function lengthOf(rule: Json): { length: number } {
  return { length: Math.min(Math.max(Number(rule.minItems ?? 1), 1), 10) }
}

/** `#/$defs/name` and the like. */
function resolve(ref: string, root: unknown): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((found, name) => object(found)?.[name], root)
}
