import { join } from 'node:path'
import { type Access, openAccess } from '#access'
import { type Broker, openBroker } from '#broker'
import { openCommits, openReading, openSpool, type Reading, type Spool } from '#capture'
import type { Env } from '#lib/env'
import { SetupError } from '#lib/errors'
import { knownHosts } from '#lib/known-hosts'
import type { Logger } from '#lib/log'
import { type Metrics, openMetrics } from '#lib/metrics'
import type { Releaser } from '#lib/release'
import { openVault, secretIn, type Vault } from '#lib/vault'
import { classification } from '#queues/classification'
import { jobs } from '#queues/jobs'
import { logging } from '#queues/logging'
import { upkeep } from '#queues/upkeep'
import { webhooks } from '#queues/webhooks'
import { openStore, type Store } from '#store'
import { databaseUrl } from '../environment.ts'
import { spoolMetrics } from '../exchange-metrics.ts'
import { processMetrics } from '../process-metrics.ts'
import { queueMetrics } from '../queue-metrics.ts'
import { version } from '../version.ts'

/** What every domain of a gateway stands on. */
export type Base = {
  env: Env
  log: Logger
  held: Releaser
  url: string
  sql: Store['sql']
  metrics: Metrics
  reading: Reading
  access: Access
  broker: Broker
  spool: Spool
  /** The gateway's own secret, and what seals by it. */
  secret: string
  vault: Vault
}

export async function openBase(env: Env, log: Logger, held: Releaser): Promise<Base> {
  const url = databaseUrl(env)
  const metrics = openMetrics()
  held.add('process metrics', processMetrics(metrics, { version, process: 'gateway' }))
  const { sql, close } = openStore(url, { max: 4, name: 'sluice gateway' })
  held.add('store', close)
  const reading = openReading(url, { log })
  held.add('reading', reading.close)
  const secret = env.SECRET_KEY ?? (await secretIn(join(env.DATA_DIR, 'secret.key')))
  const access = await openAccess({
    ...{ sql, log, secret, adminKey: env.ADMIN_KEY, passThrough: env.PASS_THROUGH_KEYS },
    knowsHost: knownHosts({ host: env.HOST, hosts: env.ALLOWED_HOSTS }),
    ...{ defaultCapture: env.CAPTURE, snapshotFile: join(env.DATA_DIR, 'access.json') },
  })
  held.add('access', access.close)
  const broker = openBroker(env.QUEUE_URL, url, { log, name: 'sluice-gateway' })
  held.add('broker', () => broker.close())
  await verifyUnlessDown(broker, log)
  const queues = [logging, classification, jobs, upkeep, webhooks].map(({ name }) => name)
  held.add('queue metrics', queueMetrics({ metrics, queues, counts: broker.counts }))
  const spool = await openSpool({
    ...{ dir: join(env.DATA_DIR, 'spool'), maxBytes: env.SPOOL_MAX_BYTES, whenFull: env.SPOOL_FULL, log },
    ...{ producer: broker.producer(logging), commits: openCommits(sql) },
  })
  held.add('spool', () => spool.close(2_500))
  spoolMetrics(metrics, spool.ledger)
  return {
    env,
    log,
    held,
    url,
    sql,
    metrics,
    reading,
    access,
    broker,
    spool,
    secret,
    vault: openVault(secret),
  }
}

/** An engine that is down is no reason not to start; one that would lose jobs is. */
async function verifyUnlessDown(broker: Broker, log: Logger): Promise<void> {
  try {
    await broker.verify()
  } catch (error) {
    if (error instanceof SetupError) throw error
    log.warn({ reason: String(error) }, 'the queue engine is down: exchanges are spooled until it is back')
  }
}
