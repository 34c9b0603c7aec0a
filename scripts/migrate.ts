import { readEnv } from '#lib/env'
import { SetupError } from '#lib/errors'
import { migrate } from '#store'

try {
  const { DATABASE_URL } = readEnv()
  if (DATABASE_URL === undefined) {
    throw new SetupError('DATABASE_URL is not set: `bun start` migrates its embedded Postgres by itself')
  }
  console.log(`The database has schema ${await migrate(DATABASE_URL)}`)
} catch (error) {
  console.error(error instanceof SetupError ? `sluice: ${error.message}` : error)
  process.exit(1)
}
