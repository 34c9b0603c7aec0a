import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Env, readEnv } from '#lib/env'
import { errorText, SetupError } from '#lib/errors'
import { idTime } from '#lib/ids'
import { openLog } from '#lib/log'
import { releaser } from '#lib/release'
import { type BackfillProgress, backfill, interpret, openClassification } from '#llm'
import { checkSchema, openStore } from '#store'

const usage = `Usage: bun run classify [--since <time>] [--until <time>] [--rules]

Classifies stored exchanges that are not classified yet, oldest first, while everything runs: by the model that
CLASSIFY_MODEL names (through the gateway, CLASSIFY_PER_MINUTE questions a minute), else or with --rules by rules.
Stopped by Ctrl-C, the same command goes on from there.`

try {
  process.exitCode = (await main()) ? 0 : 130
} catch (error) {
  console.error(error instanceof SetupError ? `sluice: ${error.message}` : error)
  process.exitCode = 1
}

async function main(): Promise<boolean> {
  const values = readArguments()
  if (values.help === true) {
    console.log(usage)
    return true
  }
  const env = readEnv()
  const log = openLog('classify', env.LOG_LEVEL)
  const held = releaser((name, error) => log.error({ reason: errorText(error) }, `releasing ${name}`))
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  try {
    const store = openStore(env.DATABASE_URL ?? (await embeddedUrl(env)), { max: 4, name: 'classify' })
    held.add('store', store.close)
    await checkSchema(store.sql)
    const { classify, close } = openClassification({
      ...{ sql: store.sql, interpret, log, providers: env.providers, gatewayUrl: env.GATEWAY_URL },
      model: values.rules === true ? undefined : env.CLASSIFY_MODEL,
      perMinute: env.CLASSIFY_PER_MINUTE,
    })
    held.add('classification', close)
    const result = await backfill({
      ...{ sql: store.sql, classify },
      since: readTime('--since', values.since),
      until: readTime('--until', values.until),
      onProgress: progressLine(),
      signal: stop.signal,
    })
    if (result === null) console.error('Stopped: the same command goes on from here')
    else console.error(`Classified ${result.classified} exchanges, passed over ${result.passedOver}`)
    return result !== null
  } finally {
    await held.releaseAll()
  }
}

function readArguments() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ options: { since: text, until: text, rules: flag, help: flag } }).values
  } catch (cause) {
    throw new SetupError(`${errorText(cause)}\n\n${usage}`, { cause })
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
async function embeddedUrl({ DATA_DIR }: Env): Promise<string> {
  const file = Bun.file(join(DATA_DIR, 'postgres.json'))
  if (!(await file.exists()))
    throw new SetupError(`DATABASE_URL is not set, and ${DATA_DIR} has no embedded Postgres: set one of both`)
  const { port, password } = (await file.json()) as { port: number; password: string }
  return `postgres://sluice:${password}@127.0.0.1:${port}/postgres`
}

/** At most one line a second. */
function progressLine(): (progress: BackfillProgress) => void {
  let last = 0
  return ({ classified, passedOver, position }) => {
    if (performance.now() - last < 1_000) return
    last = performance.now()
    const at = new Date(idTime(position)).toISOString()
    console.error(`${classified} classified, ${passedOver} passed over, at ${at}`)
  }
}
