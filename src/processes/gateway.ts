/** The gateway: proxies, records, answers the API. Wires the domains together and owns nothing itself. */
import type { AnyElysia } from 'elysia'
import { openAudit } from '#access'
import { clientAddress } from '#lib/client-address'
import { readEnv } from '#lib/env'
import { isLoopback } from '#lib/known-hosts'
import { openLog } from '#lib/log'
import type { Releaser } from '#lib/release'
import { accessRoutes } from '#routes/access'
import { captureRoutes, keptRoutes } from '#routes/capture'
import { environment } from './environment.ts'
import { gatewayApp } from './gateway-app.ts'
import { listen } from './listen.ts'
import { gatewayProbes } from './probes.ts'
import { readiness } from './readiness.ts'
import { run, type Started } from './run.ts'
import { version } from './version.ts'
import { openBase } from './wiring/base.ts'
import { wireJobs } from './wiring/jobs.ts'
import { wireMcp } from './wiring/mcp.ts'
import { wireModels } from './wiring/models.ts'

const env = environment(readEnv)
const log = openLog('gateway', env.LOG_LEVEL)
let draining = false
await run(log, start, { graceMs: 9_000 })

async function start(held: Releaser): Promise<Started> {
  const base = await openBase(env, log, held)
  const { sql, metrics, reading, access, broker, spool } = base
  const { authorise } = access
  const addressBehind = clientAddress(env.TRUSTED_PROXIES)
  const addressOf = (request: Request) =>
    addressBehind(app.server?.requestIP(request)?.address ?? null, request.headers)
  const audit = openAudit({ sql, log, addressOf })
  const models = await wireModels(base)
  const jobs = wireJobs(base, audit)
  const mcp = await wireMcp(base, models)
  const { replay, speaks } = models

  const app: AnyElysia = gatewayApp({
    routes: [
      ...models.routes,
      ...mcp.routes,
      ...jobs.routes,
      accessRoutes({ sql, reads: jobs.reads, access, audit, log, addressOf }),
      keptRoutes({ sql, reading, authorise }),
      captureRoutes({ reading, authorise, log, ledgers: () => [spool.ledger()], replay, speaks }),
    ],
    ops: {
      ...{ name: 'sluice', version, metrics, authorise, draining: () => draining },
      ready: readiness(gatewayProbes({ sql, broker, spool, access })),
      endpoint: () => `http://${env.HOST}:${port}`,
      openMetrics: isLoopback(env.HOST),
    },
    log,
  })
  const { port, stop } = await listen(app, {
    hostname: env.HOST,
    port: env.PORT,
    bodyMaxBytes: env.BODY_MAX_BYTES,
  })
  held.add('listener', async () => {
    draining = true
    await stop(4_000)
  })
  // Before the listener, which would wait for those who follow.
  held.add('live tails', reading.tail.close)
  held.add('live dashboards and jobs', jobs.closeLive)
  held.add('MCP', mcp.close)
  return { ready: { host: env.HOST, port, engine: broker.engine, spool: spool.id, version } }
}
