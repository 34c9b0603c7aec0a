import type { AnyElysia } from 'elysia'
import type { Audit } from '#access'
import { openBoard, watchAlerts } from '#dashboard'
import { builtInKinds, openJobs, openRegistry } from '#jobs'
import { classification } from '#queues/classification'
import { jobs } from '#queues/jobs'
import { logging } from '#queues/logging'
import { upkeep } from '#queues/upkeep'
import { webhooks } from '#queues/webhooks'
import { dashboardRoutes } from '#routes/dashboard'
import { jobRoutes } from '#routes/jobs'
import { openStore, type Store } from '#store'
import { jobMetrics } from '../job-metrics.ts'
import type { Base } from './base.ts'

export type JobsWiring = {
  closeLive: () => Promise<void>
  routes: AnyElysia[]
  /** For what people read: with a time limit, and apart from what the gateway itself needs. */
  reads: Store['sql']
}

/** Jobs over HTTP, and the board that shows them and every queue. */
export function wireJobs(base: Base, audit: Audit): JobsWiring {
  const { env, log, held, url, metrics, reading, access, broker, vault } = base
  const { authorise } = access
  const allowPrivate = env.PRIVATE_ADDRESSES
  const { sql, close } = openStore(patient(url), { max: 4, name: 'sluice dashboard' })
  held.add('dashboard store', close)
  const seen = { sql, broker, log, rowsQueue: jobs.name }
  const board = openBoard({
    ...{ ...seen, authorise, audit, vault, allowPrivate },
    contracts: [jobs, logging, classification, webhooks, upkeep],
  })
  const door = openJobs({
    ...{ url, registry: openRegistry(builtInKinds(null)), metrics },
    receivers: { vault, allowPrivate },
  })
  held.add('jobs', door.close)
  held.add('job metrics', jobMetrics({ metrics, sql, queue: jobs.name }))
  const alerts = watchAlerts({ ...seen, vault, producer: broker.producer(webhooks) })
  held.add('alerts', alerts.close)
  return {
    reads: sql,
    async closeLive() {
      await Promise.all([board.close(), door.hub.close()])
    },
    routes: [dashboardRoutes(board), jobRoutes({ jobs: door, read: reading.read, authorise, audit })],
  }
}

/** For reads that nobody needs in order to go on. */
function patient(url: string): string {
  const bounds = new URL(url)
  bounds.searchParams.set('statement_timeout', '10000')
  return bounds.href
}
