import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { AdapterFactory } from '../adapters/factory.ts'
import { type ClimbRow, insertClimb } from './queries.ts'

/** What climbing needs beside the proxy. */
export type Ladders = {
  sql: Sql
  adapters: AdapterFactory
  /** Never rejects: an answer is not lost because its story cannot be written down. */
  save(climb: ClimbRow): Promise<void>
}

export function openLadders({
  sql,
  adapters,
  log,
}: {
  sql: Sql
  adapters: AdapterFactory
  log: Logger
}): Ladders {
  return {
    ...{ sql, adapters },
    async save(climb) {
      try {
        await insertClimb(sql, climb)
      } catch (error) {
        log.warn({ climb: climb.id, reason: errorText(error, 300) }, 'ladder: a climb could not be stored')
      }
    },
  }
}
