/** The gateway: proxies, records, answers the API. Wires the domains together and owns nothing itself. */
import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import { openAccess, openAudit } from '#access'
import { openBroker } from '#broker'
import { openCommits, openReading, openSpool } from '#capture'
import { openBoard, watchAlerts } from '#dashboard'
import { builtInKinds, openJobs, openRegistry } from '#jobs'
import { childEnvironment, isLoopback, readEnv } from '#lib/env'
import { SetupError } from '#lib/errors'
import { openLog } from '#lib/log'
import { openMetrics } from '#lib/metrics'
import type { Releaser } from '#lib/release'
import { openVault, secretIn } from '#lib/vault'
import {
  alertSender,
  openAdapters,
  openAsking,
  openCache,
  openLadders,
  openMock,
  openMoney,
  openProviders,
  openProxy,
  openRouting,
  type PriceOf,
} from '#llm'
import { openMcp } from '#mcp'
import { classification } from '#queues/classification'
import { jobs } from '#queues/jobs'
import { logging } from '#queues/logging'
import { upkeep } from '#queues/upkeep'
import { webhooks } from '#queues/webhooks'
import { accessRoutes } from '#routes/access'
import { captureRoutes, keptRoutes } from '#routes/capture'
import { dashboardRoutes } from '#routes/dashboard'
import { jobRoutes } from '#routes/jobs'
import { askingRoutes, llmRoutes, moneyRoutes, routingRoutes } from '#routes/llm'
import { mcpRoutes, serverRoutes } from '#routes/mcp'
import { openStore } from '#store'
import { captureTools } from '#tools/capture'
import { llmTools } from '#tools/llm'
import { cacheMetrics } from './cache-metrics.ts'
import { databaseUrl, environment } from './environment.ts'
import { exchangeMetrics, spoolMetrics } from './exchange-metrics.ts'
import { gatewayApp } from './gateway-app.ts'
import { jobMetrics } from './job-metrics.ts'
import { listen } from './listen.ts'
import { hopMetrics, mcpServerMetrics } from './mcp-metrics.ts'
import { gatewayProbes } from './probes.ts'
import { processMetrics } from './process-metrics.ts'
import { queueMetrics } from './queue-metrics.ts'
import { readiness } from './readiness.ts'
import { canSpeak, replayBy } from './replay-by.ts'
import { run, type Started } from './run.ts'
import { version } from './version.ts'

const env = environment(readEnv)
const log = openLog('gateway', env.LOG_LEVEL)
let draining = false
await run(log, start, { graceMs: 9_000 })

async function start(held: Releaser): Promise<Started> {
  const url = databaseUrl(env)
  const metrics = openMetrics()
  held.add('process metrics', processMetrics(metrics, { version, process: 'gateway' }))
  const store = openStore(url, { max: 4, name: 'sluice gateway' })
  held.add('store', store.close)
  const reading = openReading(url, { log })
  held.add('reading', reading.close)
  const secret = env.SECRET_KEY ?? (await secretIn(join(env.DATA_DIR, 'secret.key')))
  const access = await openAccess({
    secret,
    ...{ sql: store.sql, log, adminKey: env.ADMIN_KEY, passThrough: env.PASS_THROUGH_KEYS },
    ...{ defaultCapture: env.CAPTURE, snapshotFile: join(env.DATA_DIR, 'access.json') },
  })
  held.add('access', access.close)
  const broker = openBroker(env.QUEUE_URL, url, { log, name: 'sluice-gateway' })
  held.add('broker', () => broker.close())
  await verifyUnlessDown(broker.verify)
  held.add(
    'queue metrics',
    queueMetrics({
      metrics,
      queues: [logging.name, classification.name, jobs.name, upkeep.name, webhooks.name],
      counts: broker.counts,
    }),
  )

  const spool = await openSpool({
    ...{ dir: join(env.DATA_DIR, 'spool'), maxBytes: env.SPOOL_MAX_BYTES, whenFull: env.SPOOL_FULL, log },
    ...{ producer: broker.producer(logging), commits: openCommits(store.sql) },
  })
  held.add('spool', () => spool.close(2_500))
  spoolMetrics(metrics, spool.ledger)

  const money = await openMoney({
    ...{ sql: store.sql, log, snapshotFile: join(env.DATA_DIR, 'money.json') },
    onAlerts: alertSender(broker.producer(webhooks), log),
  })
  held.add('money', money.close)

  const mock = await openMock()
  held.add('mock', mock.close)
  const providers = openProviders({ ...env.providers, mock: { baseUrl: mock.url } })
  const vault = openVault(secret)
  const routing = await openRouting({
    ...{ sql: store.sql, log, providers, vault, metrics },
    snapshotFile: join(env.DATA_DIR, 'routing.json'),
  })
  held.add('routing', routing.close)
  const cache = openCache({
    observe: cacheMetrics(metrics),
    ...{
      kind: env.CACHE_STORE,
      maxBytes: env.CACHE_MAX_BYTES,
      queueUrl: env.QUEUE_URL,
      databaseUrl: url,
      log,
    },
  })
  held.add('cache', cache.close)
  const price: PriceOf = (of) => money.book().price(of)
  const adapters = openAdapters({ providers, price })
  const proxy = openProxy({
    ...{ authenticate: access.authenticate, spool, log, observe: exchangeMetrics(metrics), providers },
    ...{ routing, money, cache, price, ladders: openLadders({ sql: store.sql, adapters, log }) },
    bodyMaxBytes: env.BODY_MAX_BYTES,
    connectTimeoutMs: env.UPSTREAM_CONNECT_TIMEOUT_MS,
    idleTimeoutMs: env.UPSTREAM_IDLE_TIMEOUT_MS,
    clientGone: env.CLIENT_GONE,
  })
  held.add('proxy', proxy.close)
  const asking = openAsking({
    ...{ sql: store.sql, proxy, routing, vault, adapters },
    folder: join(env.DATA_DIR, 'orchestra'),
  })

  const { authorise } = access
  const audit = openAudit({
    ...{ sql: store.sql, log },
    addressOf: (request) => app.server?.requestIP(request)?.address ?? null,
  })
  const boardStore = openStore(patient(url), { max: 2, name: 'sluice dashboard' })
  held.add('dashboard store', boardStore.close)
  const board = openBoard({
    ...{ sql: boardStore.sql, broker, authorise, audit, log, rowsQueue: jobs.name },
    allowPrivate: env.PRIVATE_ADDRESSES,
    contracts: [jobs, logging, classification, webhooks, upkeep],
  })
  const jobsDoor = openJobs({
    ...{ url, registry: openRegistry(builtInKinds(null)), metrics },
    receivers: { vault, allowPrivate: env.PRIVATE_ADDRESSES },
  })
  held.add('jobs', jobsDoor.close)
  held.add('job metrics', jobMetrics({ metrics, sql: boardStore.sql, queue: jobs.name }))
  const alerts = watchAlerts({
    ...{ sql: boardStore.sql, broker, producer: broker.producer(webhooks), log, rowsQueue: jobs.name },
  })
  held.add('alerts', alerts.close)
  const replay = replayBy(proxy, providers)
  const speaks = (name: string, dialect: string) => canSpeak(providers.find(name), dialect)
  const own = { sql: store.sql, reading, filesFolder: join(env.DATA_DIR, 'files') }
  // Who may start commands here can reach the network anyway.
  const allowPrivate = env.PRIVATE_ADDRESSES || env.MCP_STDIO
  const mcp = await openMcp({
    ...{ sql: store.sql, spool, reading, vault, secret, authorise, log, version },
    ownTools: [
      ...captureTools({ ...own, replay, speaks }),
      ...llmTools({ ...own, orchestra: asking.orchestra }),
    ],
    ...{ folder: join(env.DATA_DIR, 'mcp'), allowStdio: env.MCP_STDIO, allowPrivate },
    ...{ bodyMaxBytes: env.BODY_MAX_BYTES, defaultCapture: env.CAPTURE, inherited: childEnvironment() },
    guard: { host: env.HOST, hosts: env.MCP_ALLOWED_HOSTS, origins: env.MCP_ALLOWED_ORIGINS },
    observe: hopMetrics(metrics),
  })
  mcpServerMetrics(metrics, mcp)
  const ready = readiness(gatewayProbes({ sql: store.sql, broker, spool, access }))
  const app: AnyElysia = gatewayApp({
    routes: [
      llmRoutes({ proxy }),
      moneyRoutes({
        ...{ sql: store.sql, reading, authorise, refresh: money.refresh, book: money.book },
        ...{ allowPrivate: env.PRIVATE_ADDRESSES, pricesFolder: join(env.DATA_DIR, 'prices') },
      }),
      routingRoutes({ sql: store.sql, routing, authorise, vault }),
      askingRoutes({ asking, authorise }),
      accessRoutes({ sql: store.sql, access, audit }),
      dashboardRoutes(board),
      jobRoutes({ jobs: jobsDoor, read: reading.read, authorise, audit }),
      mcpRoutes({ edge: mcp.edge, socket: mcp.socket, sse: env.MCP_SSE }),
      serverRoutes({
        ...{ sql: store.sql, servers: mcp.servers, reports: mcp.portal.reports, authorise, vault },
        ...{ allowStdio: env.MCP_STDIO, allowPrivate },
      }),
      keptRoutes({ sql: store.sql, reading, authorise }),
      captureRoutes({
        ...{ reading, authorise, log, ledgers: () => [spool.ledger()], replay, speaks },
      }),
    ],
    ops: {
      ...{ name: 'sluice', version, metrics, ready, authorise, draining: () => draining },
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
  held.add('live dashboards', board.close)
  held.add('live jobs', jobsDoor.hub.close)
  held.add('MCP', mcp.close)
  return { ready: { host: env.HOST, port, engine: broker.engine, spool: spool.id, version } }
}

/** An engine that is down is no reason not to start; one that would lose jobs is. */
async function verifyUnlessDown(verify: () => Promise<void>): Promise<void> {
  try {
    await verify()
  } catch (error) {
    if (error instanceof SetupError) throw error
    log.warn({ reason: String(error) }, 'the queue engine is down: exchanges are spooled until it is back')
  }
}

/** For reads that nobody needs in order to go on. */
function patient(url: string): string {
  const bounds = new URL(url)
  bounds.searchParams.set('statement_timeout', '10000')
  return bounds.href
}
