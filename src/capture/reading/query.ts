import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { word } from '#lib/fields'
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
  cursor: z.string().max(500).optional().meta({
    description:
      'The next_cursor of the page before. A page may be short, even empty, and have one: what is rare is looked for a tenth of a second at a time',
  }),
}

export const tenant = word
  .optional()
  .meta({ description: 'Another than its own only an admin may name; an admin who names none sees all' })

export const flag = z
  .enum(['1', '0', 'true', 'false'], 'must be 1, 0, true or false')
  .transform((text) => text === '1' || text === 'true')

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
