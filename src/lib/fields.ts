import { z } from 'zod'
import { isId } from './ids.ts'

/** Fields of requests that many routes, tools and settings take. */

/** No NUL, which Postgres does not take, and no half of a surrogate pair, which no UTF-8 has. */
export const clean = [
  (given: string) => given.isWellFormed() && !given.includes('\u0000'),
  'must not contain NUL or half a character',
] as const

export const text = z.string().refine(...clean)

/** Names of models, tags and the like. */
export const word = text.min(1).max(200)

export const uuid = z
  .string()
  .toLowerCase()
  .refine(isId, 'must be an id, as in 0197e5a0-1c2d-7000-8000-000000000000')

/** Becomes ms since the epoch. */
export const time = z
  .string()
  .transform((given, context) => {
    const ms = /^\d{10,15}$/.test(given)
      ? Number(given)
      : /^\d{4}-\d\d-\d\d/.test(given)
        ? Date.parse(given)
        : NaN
    if (ms >= 0 && ms < 2 ** 47) return ms
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time or ms since the epoch' })
    return z.NEVER
  })
  .meta({ description: 'ISO 8601, or ms since the epoch; a date alone is its midnight, UTC' })

/** Becomes ms since the epoch. */
export const dateTime = z
  .string()
  .refine(
    (given) => /^\d{4}-\d\d-\d\d/.test(given) && !Number.isNaN(Date.parse(given)),
    'must be an ISO 8601 time; a date alone is its midnight, UTC',
  )
  .transform((given) => Date.parse(given))
