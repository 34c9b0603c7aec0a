import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { SetupError } from '#lib/errors'

/**
 * Claims the folder for this process. The kernel gives the claim up when the process dies, however it dies.
 * @returns how to give it up
 * @throws SetupError if another process holds it
 */
export function lockFolder(dir: string): () => void {
  const path = join(dir, 'postgres.lock')
  const database = open(path)
  try {
    database.run('pragma busy_timeout = 0')
    database.run('pragma journal_mode = memory')
    database.run('begin exclusive')
  } catch (cause) {
    database.close()
    throw new SetupError(
      `DATA_DIR=${dir} is in use by another Sluice: stop that one, or set another DATA_DIR`,
      {
        cause,
      },
    )
  }
  return () => database.close()
}

function open(path: string): Database {
  try {
    return new Database(path, { create: true })
  } catch (cause) {
    throw new SetupError(`Cannot write ${path}: make its directory writable, or set another DATA_DIR`, {
      cause,
    })
  }
}
