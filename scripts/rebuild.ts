import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { rebuild } from '#capture'
import { readEnv } from '#lib/env'
import { SetupError } from '#lib/errors'
import { openLog } from '#lib/log'
import { interpret, resumSpend } from '#llm'
import { checkSchema, openStore } from '#store'

const usage = `Usage: bun run rebuild [--since <time>] [--until <time>] [--prices]

Derives models, usage, threads, turns and search again from the stored bytes, while everything runs, and the sums of
reports from them. Costs stay as they were billed unless --prices is given; what budgets count as spent stays what was
charged at the time of the call. Stopped by Ctrl-C, the same command goes on from there.`

try {
  process.exitCode = (await main()) ? 0 : 130
} catch (error) {
  console.error(error instanceof SetupError ? `sluice: ${error.message}` : error)
  process.exitCode = 1
}

async function main(): Promise<boolean> {
  const { values } = readArguments()
  if (values.help === true) {
    console.log(usage)
    return true
  }
  const range = { since: readTime('--since', values.since), until: readTime('--until', values.until) }
  const env = readEnv()
  const store = openStore(env.DATABASE_URL ?? (await embeddedUrl(env.DATA_DIR)), { max: 4, name: 'rebuild' })
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  try {
    await checkSchema(store.sql)
    const result = await rebuild({
      sql: store.sql,
      interpret,
      log: openLog('rebuild', env.LOG_LEVEL),
      ...range,
      prices: values.prices === true,
      onProgress: progressLine(),
      signal: stop.signal,
    })
    if (result === null) console.error('Stopped: the same command goes on from here')
    else {
      const days = await resumSpend(store.sql, range)
      console.error(
        `Rebuilt ${result.done} exchanges, ${result.failed} left as they were; ${days} days summed up anew`,
      )
    }
    return result !== null
  } finally {
    await store.close()
  }
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        since: { type: 'string' },
        until: { type: 'string' },
        prices: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (cause) {
    throw new SetupError(`${cause instanceof Error ? cause.message : cause}\n\n${usage}`, { cause })
  }
}

function readTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new SetupError(`${name} ${text}: must be a time like 2026-11-20 or 2026-11-20T08:00Z`)
  return time
}

/** Of the Postgres that `bun start` runs on this machine. */
async function embeddedUrl(dataDir: string): Promise<string> {
  const file = Bun.file(join(dataDir, 'postgres.json'))
  if (!(await file.exists()))
    throw new SetupError(`DATABASE_URL is not set, and ${dataDir} has no embedded Postgres: set one of both`)
  const { port, password } = (await file.json()) as { port: number; password: string }
  return `postgres://sluice:${password}@127.0.0.1:${port}/postgres`
}

/** At most one line a second. */
function progressLine(): (progress: {
  phase: string
  done: number
  failed: number
  position: string
}) => void {
  let last = 0
  return ({ phase, done, failed, position }) => {
    if (performance.now() - last < 1_000) return
    last = performance.now()
    const reached = Number.parseInt(position.replace('-', '').slice(0, 12), 16)
    const at = phase === 'exchanges' && reached > 0 ? `, at ${new Date(reached).toISOString()}` : ''
    console.error(`${phase}: ${done} exchanges derived, ${failed} failed${at}`)
  }
}
