import { z } from 'zod'
import type { Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'

/** What arguments of tools have in common. JSON, where a query of a route is text. */

export const id = z
  .string()
  .refine((text) => isId(text.toLowerCase()), 'must be an id, as in 0197e5a0-1c2d-7000-8000-000000000000')
  .transform((text) => text.toLowerCase())

export const limit = (most: number, otherwise: number) => z.int().min(1).max(most).default(otherwise)

/** Cursors go deeper; a client that pages by numbers rarely does. */
export const offset = z.int().min(0).max(10_000).default(0)

const mostMetadata = 64 * 1024
/** Escapes that no jsonb takes. */
const unstorable = /\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})/

/** Any JSON, as far as Postgres takes it. */
export const json = z.unknown().refine((value) => {
  const text = JSON.stringify(value) ?? 'null'
  return text.length <= mostMetadata && !unstorable.test(text)
}, `must be JSON of ${mostMetadata} characters at most, without NUL or half a character`)

export const metadata = z
  .record(z.string(), json)
  .refine(
    (value) => JSON.stringify(value).length <= mostMetadata,
    `must be ${mostMetadata} characters at most`,
  )
  .meta({ description: 'Any JSON object, kept beside it' })

/**
 * A key that records no content keeps none by tools either.
 * @throws SluiceError 403
 */
export function mayKeep({ capture }: Principal): void {
  if (capture === 'full') return
  throw new SluiceError(
    403,
    'metadata-only',
    'This key records no content (capture mode metadata), so nothing is kept',
  )
}
