/** `worker <queue…>`: drains the named queues until told to stop. */
import { join } from 'node:path'
import { accessUpkeep } from '#access'
import { type Broker, type Handler, openBroker, openFlow } from '#broker'
import { interpretBy } from '#capture'
import { loggingHandler, upkeepHandler } from '#consumers/capture'
import { alertsUpkeep, queueAlertHandler } from '#consumers/dashboard'
import { jobWebhookHandler, openRunning } from '#consumers/jobs'
import { classificationHandler, sealBudgetSecrets, webhookHandler } from '#consumers/llm'
import { jobsUpkeep } from '#jobs'
import { type Env, readEnv } from '#lib/env'
import { errorText, SetupError } from '#lib/errors'
import { type Logger, openLog } from '#lib/log'
import { supervisedFlag } from '#lib/parent'
import type { Releaser } from '#lib/release'
import { openVault, secretIn } from '#lib/vault'
import {
  type ClassificationFeed,
  moneyUpkeep,
  openBookkeeping,
  openClassificationFeed,
  pruneLadders,
  sweepCache,
} from '#llm'
import { interpretMcp } from '#mcp'
import { classification } from '#queues/classification'
import { jobs } from '#queues/jobs'
import { logging } from '#queues/logging'
import type { QueueContract } from '#queues/queue'
import { upkeep, upkeepSchedules } from '#queues/upkeep'
import { type WebhooksPayload, webhooks } from '#queues/webhooks'
import { checkSchema, openStore, type Store } from '#store'
import { databaseUrl, environment } from './environment.ts'
import { giveWay } from './priority.ts'
import { run, type Started } from './run.ts'
import { classifier, jobKinds } from './wiring/job-kinds.ts'

type Context = { env: Env; log: Logger; broker: Broker; store: Store; held: Releaser }

type Drained<Payload> = {
  contract: QueueContract<Payload>
  handler: Handler<Payload>
  concurrency?: number
}

/** How each queue is drained. Two batches at once keep Postgres busy while the next is decoded. */
const drains: Record<string, (context: Context) => Promise<void>> = {
  async logging(context) {
    const { broker, store, log, env, held } = context
    const { sql } = store
    const { interpret, account, close } = await openBookkeeping({ sql, log })
    held.add('bookkeeping', close)
    const onStored = classified({ broker, log, env, held })
    const meaning = interpretBy({ mcp: interpretMcp }, interpret)
    const handler = loggingHandler({ sql, interpret: meaning, account, onStored, log, ...retention(env) })
    held.add('search index', handler.close)
    drain(context, { contract: logging, handler, concurrency: 2 })
  },
  async upkeep(context) {
    const { broker, store, log, env } = context
    const { sql } = store
    const record = upkeepHandler({
      ...{ sql, log, ...retention(env) },
      logs: { days: env.LOG_RETENTION_DAYS, count: env.LOG_RETENTION_COUNT },
    })
    const handler: typeof record = async (payload, job) => {
      await moneyUpkeep(sql)
      await sweepCache(sql, env.CACHE_MAX_BYTES)
      await jobsUpkeep(sql, retention(env))
      await accessUpkeep(sql, { auditDays: env.AUDIT_RETENTION_DAYS })
      await alertsUpkeep(sql)
      if (env.RETENTION_DAYS !== undefined) await pruneLadders(sql, env.RETENTION_DAYS)
      return await record(payload, job)
    }
    drain(context, { contract: upkeep, handler })
    for (const { id, everyMs, payload } of upkeepSchedules) {
      broker.schedule(upkeep, { id, everyMs }, payload).catch((error) => {
        log.error({ reason: errorText(error) }, 'upkeep: cannot be scheduled')
      })
    }
  },
  async classification(context) {
    const { sql } = context.store
    const handler = classificationHandler({ sql, classify: classifier(context) })
    drain(context, { contract: classification, handler })
  },
  async jobs(context) {
    const { broker, log, env, held } = context
    const { sql } = context.store
    const concurrency = env.JOBS_CONCURRENCY
    const running = await openRunning({
      ...{ sql, producer: broker.producer(jobs), log, concurrency, gatewayUrl: env.GATEWAY_URL },
      webhooks: broker.producer(webhooks),
      registry: jobKinds(context),
      apart: [process.execPath, join(import.meta.dirname, 'job.ts')],
    })
    held.add('jobs', running.close)
    drain(context, { contract: jobs, handler: running.handler, concurrency })
    held.add('feeder of jobs', running.stopFeeding)
  },
  async webhooks(context) {
    const { store, log, env } = context
    const vault = openVault(env.SECRET_KEY ?? (await secretIn(join(env.DATA_DIR, 'secret.key'))))
    await sealBudgetSecrets(store.sql, vault)
    const options = { sql: store.sql, log, vault, allowPrivate: env.PRIVATE_ADDRESSES }
    const tell: Record<WebhooksPayload['kind'], Handler<WebhooksPayload>> = {
      'budget-alert': webhookHandler(options),
      'queue-alert': queueAlertHandler(options),
      job: jobWebhookHandler(options),
    }
    const handler: Handler<WebhooksPayload> = async (payload, job) => await tell[payload.kind](payload, job)
    // They wait for others: a few slow receivers must not hold up the rest.
    drain(context, { contract: webhooks, handler, concurrency: 32 })
  },
}

const env = environment(readEnv)
const log = openLog('worker', env.LOG_LEVEL)
await run(log, start, { graceMs: 8_000 })

async function start(held: Releaser): Promise<Started> {
  const queues = process.argv.slice(2).filter((word) => word !== supervisedFlag)
  const unknown = queues.find((queue) => !(queue in drains))
  if (queues.length === 0 || unknown !== undefined) {
    const found = unknown === undefined ? 'no queue named' : `no queue ${unknown}`
    throw new SetupError(`worker: ${found}; name some of ${Object.keys(drains).join(', ')}`)
  }
  // On the supervisor's one machine the proxy comes first, then the record, then what is made of it: what cannot be
  // done now waits in the spool and in the queues.
  if (process.argv.includes(supervisedFlag)) giveWay(niceness(queues))
  const url = databaseUrl(env)
  const store = openStore(url, { max: 4, name: `sluice worker ${queues.join(' ')}` })
  held.add('store', store.close)
  await checkSchema(store.sql)
  const flow = openFlow({ sql: store.sql, process: `worker ${queues.join(' ')}`, log })
  held.add('flow', flow.close)
  const broker = openBroker(env.QUEUE_URL, url, { log, name: 'sluice-worker', flow })
  held.add('broker', () => broker.close())
  await broker.verify()
  for (const queue of queues) await drains[queue]?.({ env, log, broker, store, held })
  return { ready: { queues, engine: broker.engine } }
}

/** Somebody waits for jobs; nobody for what is found out about the record. */
function niceness(queues: readonly string[]): number {
  if (queues.includes('logging')) return 4
  return queues.includes('jobs') ? 10 : 19
}

/** What was stored goes on to be classified, best effort. */
function classified({ broker, log, env, held }: Omit<Context, 'store'>): ClassificationFeed['add'] {
  if (!env.CLASSIFY) return () => {}
  const counts = () => broker.counts(classification.name)
  const feed = openClassificationFeed({ producer: broker.producer(classification), counts, log })
  held.add('classification feed', feed.close)
  return feed.add
}

/** Registered last, so released first: its running jobs end before what they use is closed. */
function drain<Payload>(
  { broker, log, held }: Context,
  { contract, handler, concurrency = 1 }: Drained<Payload>,
): void {
  const onError = reporter(log, contract.name)
  const consumer = broker.consume(contract, handler, { concurrency, onError })
  held.add(contract.name, () => consumer.close(5_000))
}

function retention({ RETENTION_DAYS }: Env): { retentionDays?: number } {
  return RETENTION_DAYS === undefined ? {} : { retentionDays: RETENTION_DAYS }
}

function reporter(log: Logger, queue: string) {
  return (error: unknown, job: { id: string; attempt: number; final: boolean } | null) => {
    const level = job?.final === true ? 'error' : 'warn'
    log[level]({ queue, ...job, reason: errorText(error) }, job === null ? 'queue engine' : 'job failed')
  }
}
