import { join } from 'node:path'
import type { Env } from '#lib/env'
import { errorText, SetupError } from '#lib/errors'

/** What commands that work on the stored record, beside the product, have in common. */

/** Runs one. `main` resolves with false where it was stopped before its end: then the exit code is that of Ctrl-C. */
export async function run(main: (stop: AbortSignal) => Promise<boolean>): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  try {
    process.exitCode = (await main(stop.signal)) ? 0 : 130
  } catch (error) {
    console.error(error instanceof SetupError ? `sluice: ${error.message}` : error)
    process.exitCode = 1
  }
}

/** @throws SetupError with the usage, where `parse` does not understand what was typed */
export function argumentsOf<Values>(usage: string, parse: () => { values: Values }): Values {
  try {
    return parse().values
  } catch (cause) {
    throw new SetupError(`${errorText(cause)}\n\n${usage}`, { cause })
  }
}

/** ms since the epoch. @throws SetupError */
export function readTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new SetupError(`${name} ${text}: must be a time like 2026-11-20 or 2026-11-20T08:00Z`)
  return time
}

/** `DATABASE_URL`, or the Postgres that `bun start` runs on this machine. @throws SetupError */
export async function recordUrl({ DATABASE_URL, DATA_DIR }: Env): Promise<string> {
  if (DATABASE_URL !== undefined) return DATABASE_URL
  const file = Bun.file(join(DATA_DIR, 'postgres.json'))
  if (!(await file.exists()))
    throw new SetupError(`DATABASE_URL is not set, and ${DATA_DIR} has no embedded Postgres: set one of both`)
  const { port, password } = (await file.json()) as { port: number; password: string }
  return `postgres://sluice:${password}@127.0.0.1:${port}/postgres`
}

/** Says how far it is, at most once a second. */
export function progressLine<Progress>(text: (progress: Progress) => string): (progress: Progress) => void {
  let last = 0
  return (progress) => {
    if (performance.now() - last < 1_000) return
    last = performance.now()
    console.error(text(progress))
  }
}
