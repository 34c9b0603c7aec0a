import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ensureAdminKey } from '#access'
import { type Env, readEnv } from '#lib/env'
import { errorText, SetupError } from '#lib/errors'
import { releaser } from '#lib/release'
import { migrate, openStore } from '#store'
import { accepted } from './accepted.ts'
import { startDatabase } from './database.ts'
import { greeting, urlOf } from './greeting.ts'
import { openOutput } from './output.ts'
import { checkPort } from './port.ts'
import { startService } from './service.ts'
import { onStopSignals, StoppedError } from './stop.ts'

/** When each must have stopped, in ms after the signal. What is killed then loses nothing, but needs recovery. */
const stopBy = { gateway: 7_000, worker: 8_300, postgres: 9_500 }

/**
 * Runs everything until a signal comes.
 * @returns the exit code
 * @throws SetupError if something must be mended before a start can work
 */
export async function start(): Promise<number> {
  const env = readEnv()
  const output = openOutput()
  const stop = onStopSignals()
  const held = releaser((name, error) => output.note(`stopping ${name}: ${errorText(error)}`))
  try {
    await checkPort(env.HOST, env.PORT)
    const dataDir = resolve(env.DATA_DIR)
    await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((cause) => {
      throw new SetupError(`DATA_DIR=${env.DATA_DIR} cannot be made (${errorText(cause)}): set another`, {
        cause,
      })
    })
    const url =
      env.DATABASE_URL ?? (await startDatabase({ dir: dataDir, held, output, stop, stopBy: stopBy.postgres }))
    stop.check()
    await migrate(url)
    stop.check()

    const common = { variables: { DATABASE_URL: url, DATA_DIR: dataDir }, output, held, stop }
    // What is made of the record later has a process of its own, at a lower priority than storing.
    const workers = [
      ['logging', 'upkeep'],
      ['classification', 'webhooks', 'jobs'],
    ].map((queues) => startService('worker', queues, { ...common, stopBy: stopBy.worker }))
    const gateway = startService('gateway', [], {
      ...common,
      // Bun's fetch opens 256 connections at most unless told otherwise before it starts.
      variables: { BUN_CONFIG_MAX_HTTP_REQUESTS: '65535', ...common.variables },
      stopBy: stopBy.gateway,
    })
    const [ready] = await stop.race(Promise.all([gateway.ready, ...workers.map((worker) => worker.ready)]))
    const adminKey = await firstKey(env, url)
    if (adminKey !== null) await accepted(urlOf(env, ready), adminKey)
    output.say(greeting(env, ready, adminKey))
    await stop.signalled
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error
  } finally {
    await held.releaseAll()
    await output.written()
  }
  return 0
}

async function firstKey(env: Env, url: string): Promise<string | null> {
  if (env.ADMIN_KEY !== undefined) return null
  const store = openStore(url, { max: 1, name: 'sluice start' })
  try {
    return await ensureAdminKey(store.sql)
  } finally {
    await store.close()
  }
}
