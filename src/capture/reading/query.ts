import { z } from 'zod'
import { SluiceError } from '#lib/errors'
import { idFloor, isId } from '#lib/ids'

/** What a list route takes at most in one page, and what it gives when not asked. */
const pageLimit = 500
const pageDefault = 50

/**
 * The query of a URL, checked. A parameter may be given once, except where the schema takes an array.
 * @throws SluiceError 400 `bad-query` naming the first bad parameter, and what it must be
 */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, request: Request): z.output<Schema> {
  const given: Record<string, string | string[]> = {}
  for (const [name, value] of new URL(request.url).searchParams) {
    if (value === '') continue
    const many = isArray(schema.shape[name])
    const before = given[name]
    if (before !== undefined && !many) throw badQuery(name, 'given more than once')
    given[name] = many ? [...(before ?? []), value] : value
  }
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape).join(', ')
    throw badQuery(issue.keys[0] ?? '', `not a parameter of this route, which takes ${known}`)
  }
  throw badQuery(String(issue?.path[0] ?? 'query'), issue?.message ?? 'not understood')
}

/**
 * A JSON body, checked; none at all counts as `{}`.
 * @throws SluiceError 400 `bad-json`, 422 `bad-body` naming the field
 */
export async function readBody<Schema extends z.ZodObject>(
  schema: Schema,
  request: Request,
): Promise<z.output<Schema>> {
  const text = await request.text()
  const parsed = schema.safeParse(text.trim() === '' ? {} : parseJson(text))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.')
  throw new SluiceError(422, 'bad-body', `${field || 'body'}: ${issue?.message}`)
}

/** @throws SluiceError 404 where the text is no id: nothing can be found under it */
export function readId(text: string, what: string): string {
  const id = text.toLowerCase()
  if (!isId(id)) throw notFound(what, text)
  return id
}

export function notFound(what: string, id: string): SluiceError {
  return new SluiceError(404, 'not-found', `${what} ${id.slice(0, 64)}: not found`)
}

export function badQuery(name: string, reason: string): SluiceError {
  return new SluiceError(400, 'bad-query', `query parameter ${name.slice(0, 64)}: ${reason}`)
}

/** A time as ISO 8601 (a date alone is its midnight, UTC) or in ms since the epoch; becomes ms. */
export const time = z.string().transform((text, context) => {
  const ms = /^\d{10,15}$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(ms)) {
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time or ms since the epoch' })
    return z.NEVER
  }
  return ms
})

/** The bounds of a time range as bounds of ids, which carry their time. */
export function idRange(range: { since?: number | undefined; until?: number | undefined }) {
  return {
    from: range.since === undefined ? undefined : idFloor(range.since),
    before: range.until === undefined ? undefined : idFloor(range.until),
  }
}

export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

export const flag = z
  .enum(['1', '0', 'true', 'false'], 'must be 1, 0, true or false')
  .transform((word) => word === '1' || word === 'true')

export const uuid = z
  .string()
  .toLowerCase()
  .refine(isId, 'must be an id, as in 0197e5a0-1c2d-7000-8000-000000000000')

const limit = wholeNumber
  .refine((n) => n >= 1 && n <= pageLimit, `must be 1 to ${pageLimit}`)
  .default(pageDefault)

/** What every list takes. */
export const page = { limit, cursor: z.string().max(500).optional() }

/** For admin principals, who see every tenant unless they name one. */
export const tenant = z.string().min(1).max(200).optional()

function isArray(schema: unknown): boolean {
  if (schema instanceof z.ZodOptional) return isArray(schema.unwrap())
  return schema instanceof z.ZodArray
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SluiceError(400, 'bad-json', 'the body must be JSON', { cause })
  }
}
