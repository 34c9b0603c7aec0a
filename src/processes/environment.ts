import type { Env } from '#lib/env'
import { SetupError } from '#lib/errors'

/** The settings, or one line that names the bad one, and exit code 1. */
export function environment(read: () => Env): Env {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(`sluice: ${error.message}`)
    process.exit(1)
  }
}

/** @throws SetupError where it is not set: only `bun start` brings a database of its own */
export function databaseUrl(env: Env): string {
  if (env.DATABASE_URL !== undefined) return env.DATABASE_URL
  throw new SetupError(
    'DATABASE_URL is not set: set it, or use `bun start`, which brings a Postgres of its own',
  )
}
