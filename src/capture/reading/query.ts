import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { idFloor, isId } from '#lib/ids'

/** What a list route takes at most in one page, and what it gives when not asked. */
const pageLimit = 500
const pageDefault = 50

export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

const limit = wholeNumber
  .refine((n) => n >= 1 && n <= pageLimit, `must be 1 to ${pageLimit}`)
  .default(pageDefault)

/** What every list takes. */
export const page = {
  limit,
  cursor: z.string().max(500).optional().meta({ description: 'The next_cursor of the page before' }),
}

/** Names of models, tags and the like; no NUL, which Postgres does not take. */
export const word = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) => text.isWellFormed() && !text.includes('\u0000'),
    'must not contain NUL or half a character',
  )

export const tenant = word
  .optional()
  .meta({ description: 'Another than its own only an admin may name; an admin who names none sees all' })

/** Becomes ms. */
export const time = z
  .string()
  .transform((text, context) => {
    const ms = /^\d{10,15}$/.test(text)
      ? Number(text)
      : /^\d{4}-\d\d-\d\d/.test(text)
        ? Date.parse(text)
        : NaN
    if (ms >= 0 && ms < 2 ** 47) return ms
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time or ms since the epoch' })
    return z.NEVER
  })
  .meta({ description: 'ISO 8601, or ms since the epoch; a date alone is its midnight, UTC' })

export const flag = z
  .enum(['1', '0', 'true', 'false'], 'must be 1, 0, true or false')
  .transform((text) => text === '1' || text === 'true')

export const uuid = z
  .string()
  .toLowerCase()
  .refine(isId, 'must be an id, as in 0197e5a0-1c2d-7000-8000-000000000000')

/** The bounds of a time range as bounds of ids, which carry their time. */
export function idRange(range: { since?: number | undefined; until?: number | undefined }) {
  return {
    from: range.since === undefined ? undefined : idFloor(range.since),
    before: range.until === undefined ? undefined : idFloor(range.until),
  }
}

/** @throws SluiceError 404 where the text is no id: nothing can be found under it */
export function readId(text: string, what: string): string {
  const id = text.toLowerCase()
  if (!isId(id)) throw notFound(what)
  return id
}

/** Also what is said of another tenant's: nobody learns that it exists. */
export function notFound(what: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no such ${what}`)
}

export function badQuery(name: string, detail: string): InputError {
  return new InputError(400, 'bad-query', [{ pointer: `?${name}`, detail }])
}
