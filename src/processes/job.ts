/** Runs one job for a worker that has started it for that, so that no other job is harmed where it dies. */
import { serveApart } from '#consumers/jobs'
import { readEnv } from '#lib/env'
import { errorText } from '#lib/errors'
import { openLog, takeConsole } from '#lib/log'
import { releaser } from '#lib/release'
import { written } from '#lib/sink'
import { openStore } from '#store'
import { databaseUrl, environment } from './environment.ts'
import { onFaults } from './faults.ts'
import { jobKinds } from './wiring/job-kinds.ts'

const env = environment(readEnv)
const log = openLog('job', env.LOG_LEVEL)
const held = releaser((name, error) => log.error({ reason: errorText(error) }, `releasing ${name}`))
onFaults(log)
takeConsole(log)
const store = openStore(databaseUrl(env), { max: 3, name: 'sluice job' })
held.add('store', store.close)
await serveApart({
  sql: store.sql,
  registry: jobKinds({ env, log, store, held }),
  gatewayUrl: env.GATEWAY_URL,
})
await held.releaseAll()
await written(log)
process.exit(0)
