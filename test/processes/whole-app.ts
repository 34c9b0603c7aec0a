import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import { type Access, openAudit } from '#access'
import { openBroker } from '#broker'
import { openCommits, openReading, openSpool } from '#capture'
import { openBoard } from '#dashboard'
import { builtInKinds, openJobs, openRegistry } from '#jobs'
import { releaser } from '#lib/release'
import { openVault } from '#lib/vault'
import { openAdapters, openAsking } from '#llm'
import { openMcp } from '#mcp'
import { jobs } from '#queues/jobs'
import { webhooks } from '#queues/webhooks'
import { accessRoutes } from '#routes/access'
import { captureRoutes, keptRoutes } from '#routes/capture'
import { dashboardRoutes } from '#routes/dashboard'
import { jobRoutes } from '#routes/jobs'
import { askingRoutes, llmRoutes, moneyRoutes, routingRoutes } from '#routes/llm'
import { mcpRoutes, serverRoutes } from '#routes/mcp'
import { priceBook } from '../../src/llm/money/price-book.ts'
import { openProviders } from '../../src/llm/providers/registry.ts'
import { openProxy } from '../../src/llm/proxy.ts'
import { openRouting } from '../../src/llm/routing/routing.ts'
import { handlerOn, job, quiet } from '../capture/store-support.ts'
import type { TestDatabase } from '../support/postgres.ts'

export type WholeAppOptions = {
  database: TestDatabase
  /** Guards our own routes. */
  access: Access
  /** Guards the proxied routes. */
  proxied: Access
}

/** All routes of a gateway over one test database, with a worker in the same process and no provider to reach. */
export async function openRoutes({ database, access, proxied }: WholeAppOptions) {
  const { sql, url } = database
  const held = releaser()
  const dir = await mkdtemp(join(tmpdir(), 'sluice-app-'))
  held.add('folder', () => rm(dir, { recursive: true, force: true }))

  const handler = handlerOn(sql)
  held.add('handler', handler.close)
  const producer = {
    enqueue: async (payload: Parameters<typeof handler>[0]) => void (await handler(payload, job)),
  }
  const maxBytes = 64 * 1024 * 1024
  const spool = await openSpool({
    dir,
    maxBytes,
    whenFull: 'block',
    log: quiet,
    producer,
    commits: openCommits(sql),
  })
  held.add('spool', () => spool.close())
  const reading = openReading(url, { log: quiet })
  held.add('reading', reading.close)

  const nowhere = { baseUrl: 'http://127.0.0.1:9' }
  const providers = openProviders({ anthropic: nowhere, openai: nowhere, gemini: nowhere })
  const secret = 'a secret of the tests, long enough for all'
  const vault = openVault(secret)
  const routing = await openRouting({
    ...{ sql, log: quiet, providers, vault, snapshotFile: join(dir, 'routing.json') },
  })
  held.add('routing', routing.close)
  const proxy = openProxy({
    ...{ authenticate: proxied.authenticate, spool, log: quiet, clientGone: 'cancel' },
    ...{ bodyMaxBytes: 1_000_000, connectTimeoutMs: 1_000, idleTimeoutMs: 1_000 },
    ...{ providers, routing },
  })
  held.add('proxy', proxy.close)

  const { authorise } = access
  const broker = openBroker(undefined, url, { log: quiet, name: 'test' })
  held.add('broker', () => broker.close())
  const board = openBoard({
    ...{ sql, broker, authorise, audit: openAudit({ sql }), log: quiet, rowsQueue: jobs.name },
    ...{ contracts: [jobs, webhooks], vault, allowPrivate: false },
  })
  held.add('board', board.close)
  const jobsDoor = openJobs({
    ...{ url, registry: openRegistry(builtInKinds(null)) },
    receivers: { vault, allowPrivate: false },
  })
  held.add('jobs', jobsDoor.close)
  const mcp = await openMcp({
    ...{
      sql,
      spool,
      reading,
      vault,
      secret,
      authorise,
      log: quiet,
      version: '0',
      ownTools: [],
      inherited: {},
    },
    ...{ folder: join(dir, 'mcp'), allowStdio: true, allowPrivate: true, bodyMaxBytes: 1_000_000 },
    ...{ defaultCapture: 'full', guard: { host: '127.0.0.1', hosts: [], origins: [] } },
  })
  held.add('mcp', mcp.close)
  const ledgers = () => [spool.ledger()]
  const replay = () => Promise.resolve(Response.json({}))
  const routes: AnyElysia[] = [
    accessRoutes({ sql, access }),
    dashboardRoutes(board),
    jobRoutes({ jobs: jobsDoor, read: reading.read, authorise }),
    mcpRoutes({ edge: mcp.edge, socket: mcp.socket, sse: true }),
    serverRoutes({
      ...{ sql, servers: mcp.servers, reports: mcp.portal.reports, authorise, vault },
      ...{ allowStdio: true, allowPrivate: true },
    }),
    keptRoutes({ sql, reading, authorise }),
    captureRoutes({ reading, authorise, ledgers, replay, log: quiet }),
    llmRoutes({ proxy }),
    routingRoutes({ sql, routing, authorise, vault }),
    askingRoutes({
      asking: openAsking({ sql, proxy, routing, vault, adapters: openAdapters({ providers }), folder: dir }),
      authorise,
    }),
    moneyRoutes({
      ...{ sql, vault, reading, authorise, refresh: async () => {}, book: () => priceBook() },
      ...{ allowPrivate: false, pricesFolder: dir },
    }),
  ]
  return { routes, handler, release: held.releaseAll }
}
