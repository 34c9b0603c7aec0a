import { type Json, list, object } from '../dialects/json.ts'

/** A JSON schema of what Gemini writes in its own subset of OpenAPI: upper-case types, `nullable`, counts as text. */
export function fromOpenApi(value: unknown): Json {
  const schema = object(value) ?? {}
  const out: Json = {}
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'type') out.type = String(inner).toLowerCase()
    else if (key === 'properties') out.properties = mapped(inner, fromOpenApi)
    else if (key === 'items') out.items = fromOpenApi(inner)
    else if (key === 'anyOf') out.anyOf = list(inner).map(fromOpenApi)
    else if (counts.has(key)) out[key] = Number(inner)
    else if (key === 'example') out.examples = [inner]
    else if (key !== 'nullable' && key !== 'propertyOrdering') out[key] = inner
  }
  if (schema.nullable !== true) return out
  return typeof out.type === 'string'
    ? { ...out, type: [out.type, 'null'] }
    : { anyOf: [out, { type: 'null' }] }
}

const counts = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])

/** Does OpenAI's strict mode take it: every object closed, every property required? */
export function isStrict(value: unknown): boolean {
  const schema = object(value)
  if (schema === null) return true
  const properties = object(schema.properties) ?? {}
  if (schema.type === 'object' || schema.properties !== undefined) {
    const required = new Set(list(schema.required))
    if (schema.additionalProperties !== false) return false
    if (!Object.keys(properties).every((name) => required.has(name))) return false
  }
  const inner = [schema.items, ...list(schema.anyOf), ...Object.values(properties)]
  return [...inner, ...Object.values(object(schema.$defs) ?? {})].every(isStrict)
}

/**
 * The part of a JSON schema that Anthropic's structured output takes: objects closed, no limits on numbers,
 * lengths and counts. What is taken out is said in the description. `onChange` is called where it is.
 */
export function closed(value: unknown, onChange: () => void): Json {
  const schema = object(value) ?? {}
  const out: Json = {}
  const said: string[] = []
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties' || key === '$defs' || key === 'definitions') {
      out[key] = mapped(inner, (one) => closed(one, onChange))
    } else if (key === 'items') out.items = closed(inner, onChange)
    else if (key === 'anyOf' || key === 'allOf') out[key] = list(inner).map((one) => closed(one, onChange))
    else if (key === 'oneOf') out.anyOf = list(inner).map((one) => closed(one, onChange))
    else if (unchecked.has(key) && !(key === 'minItems' && Number(inner) <= 1)) {
      said.push(`${key}: ${JSON.stringify(inner)}`)
    } else if (key !== '$schema') out[key] = inner
  }
  if (said.length > 0)
    out.description = [schema.description, `{${said.join(', ')}}`].filter(Boolean).join('\n')
  const open = (out.type === 'object' || out.properties !== undefined) && out.additionalProperties !== false
  if (open) out.additionalProperties = false
  if (said.length > 0 || open) onChange()
  return out
}

const unchecked = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'pattern',
])

function mapped(value: unknown, map: (inner: unknown) => Json): Json {
  return Object.fromEntries(Object.entries(object(value) ?? {}).map(([name, inner]) => [name, map(inner)]))
}
