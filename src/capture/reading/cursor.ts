import type { z } from 'zod'
import { badQuery } from './query.ts'

/**
 * A position in a list, opaque to clients: the sort key of the last item that they saw. It names a place and
 * not an offset, so what is inserted meanwhile neither repeats nor hides an item.
 */
export function writeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws SluiceError 400 where the cursor is not one that this list gave */
export function readCursor<Position>(
  shape: z.ZodType<Position>,
  cursor: string | undefined,
  name = 'cursor',
): Position | undefined {
  if (cursor === undefined) return undefined
  const parsed = shape.safeParse(decoded(cursor))
  if (!parsed.success) throw badQuery(name, 'not one that this list gave')
  return parsed.data
}

export type Page<Item> = {
  items: Item[]
  /**
   * Null at the end. Before it a page may be short, even empty: then the reading stopped at its time budget, and
   * goes on from the cursor.
   */
  next_cursor: string | null
}

/**
 * A page of rows, of which one more was asked for than it holds, to see whether there is a next one. `reached` is
 * the position where the reading stopped before it had all, if it did.
 */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  make: {
    item: (row: Row) => Item
    position: (row: Row) => readonly (string | number)[]
    reached?: readonly (string | number)[] | null
  },
): Page<Item> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  const position = rows.length > limit && last !== undefined ? make.position(last) : make.reached
  return { items: kept.map(make.item), next_cursor: position ? writeCursor(position) : null }
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}
