import { join } from 'node:path'
import { openCommits, openReading, openSpool, type Reading, type Spool } from '#capture'
import type { LoggingHandler } from '../../../src/capture/consumers.ts'
import { openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import type { Recorder } from '../../../src/mcp/record/recorder.ts'
import { handlerOn, job, quiet } from '../../capture/store-support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { interpretBoth } from './support.ts'

/** A spool whose batches are stored in a database of its own as soon as `ship` is called. */
export type World = {
  folder: string
  database: TestDatabase
  reading: Reading
  spool: Spool
  recorder: Recorder
  /** From now on batches go to the store. */
  ship(): void
  release(): Promise<void>
}

export async function openWorld({ folder = temporaryFolder(), shipping = true } = {}): Promise<World> {
  const database = await testDatabase()
  const reading = openReading(database.url, { log: quiet })
  const handler: LoggingHandler = handlerOn(database.sql, { interpret: interpretBoth })
  const gate = Promise.withResolvers<void>()
  if (shipping) gate.resolve()
  const spool = await openSpool({
    dir: join(folder, 'spool'),
    maxBytes: 1024 ** 3,
    whenFull: 'block',
    log: quiet,
    producer: {
      enqueue: async (payload) => {
        await gate.promise
        await handler(payload, job)
      },
    },
    commits: openCommits(database.sql),
  })
  return {
    ...{ folder, database, reading, spool, recorder: openRecorder({ spool }) },
    ship: gate.resolve,
    async release() {
      gate.resolve()
      await spool.close()
      await reading.close()
      await handler.close()
      await database.drop()
    },
  }
}
