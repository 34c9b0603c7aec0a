import { join } from 'node:path'
import { pino } from 'pino'
import { z } from 'zod'
import type { Principal, Scope } from '#access'
import { type Broker, openBroker } from '#broker'
import { defineKind, type Kind, openRegistry, type Receivers } from '#jobs'
import { openVault } from '#lib/vault'
import { jobs } from '#queues/jobs'
import { webhooks } from '#queues/webhooks'
import { openAnnouncer } from '../../src/jobs/events/announce.ts'
import { openRunning } from '../../src/jobs/running/open-running.ts'
import { openSubmit, type Submit } from '../../src/jobs/submission/submit.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { redisMissing, type TestRedis, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

export type Engine = 'postgres' | 'redis'
export const engines: Engine[] = redisMissing() === undefined ? ['postgres', 'redis'] : ['postgres']
export const receivers: Receivers = {
  vault: openVault('a secret of the tests, long enough for all'),
  allowPrivate: true,
}
export const quiet = pino({ level: 'silent' })

export function principal(tenant = 'default', scopes: Scope[] = ['call', 'read']): Principal {
  return { tenant, keyId: null, scopes: new Set(scopes), capture: 'full', tags: [] }
}

/** Kinds that tests steer: what `echo` was given it returns, `scripted` does as the test says. */
export function testKinds(script: Kind['run'] = async () => null): Kind[] {
  return [
    defineKind({
      name: 'echo',
      summary: 'Returns its input',
      input: z.looseObject({ text: z.string().optional() }),
      run: async (input) => input,
    }),
    defineKind({
      name: 'scripted',
      summary: 'Does what the test says',
      input: z.strictObject({ n: z.int().optional() }),
      run: script,
    }),
  ]
}

/** Database, engine, submission and one worker in this process. */
export type Rig = {
  database: TestDatabase
  redis: TestRedis | null
  queueUrl: string
  submit: Submit
  /** Submits one, and returns its id. */
  add(body: Record<string, unknown>, tenant?: string): Promise<string>
  row(id: string): Promise<Row>
  /** Resolves with the row once it is in that state. */
  becomes(id: string, state: string, ms?: number): Promise<Row>
  worker(options?: { kinds?: Kind[]; concurrency?: number }): Promise<TestWorker>
  close(): Promise<void>
}

export type TestWorker = { broker: Broker; close(graceMs?: number): Promise<void> }

export type Row = {
  state: string
  attempt: number
  spared: number
  error: string | null
  error_class: string | null
  worker: string | null
  version: number
}

/** `own`: a database of the test's, which drops it. */
export async function openRig(engine: Engine, script?: Kind['run'], own?: TestDatabase): Promise<Rig> {
  const database = own ?? (await testDatabase())
  const redis = engine === 'redis' ? await testRedis() : null
  const { sql, url } = database
  const queueUrl = redis?.url ?? url
  const registry = openRegistry(testKinds(script))
  const announcer = openAnnouncer(sql)
  const submit = openSubmit({ sql, registry, announcer, receivers })
  const workers = new Set<TestWorker>()

  const row = async (id: string) => {
    const [found] = await sql<Row[]>`
      select state, attempt, spared, error, error_class, worker, version from jobs where id = ${id}`
    if (found === undefined) throw new Error(`no job ${id}`)
    return found
  }
  return {
    ...{ database, redis, queueUrl, submit, row },
    async add(body, tenant = 'default') {
      return (await submit.submit(principal(tenant), body, null)).job.id
    },
    async becomes(id, state, ms = 10_000) {
      let last = await row(id)
      await until(
        `job ${id} is ${state}`,
        async () => {
          last = await row(id)
          return last.state === state
        },
        { ms },
      ).catch((error) => {
        throw new Error(`${error.message}: it is ${JSON.stringify(last)}`)
      })
      return last
    },
    async worker({ kinds, concurrency = 4 } = {}) {
      const broker = openBroker(queueUrl, url, { log: quiet, name: 'test' })
      await broker.verify()
      const running = await openRunning({
        ...{
          sql,
          producer: broker.producer(jobs),
          webhooks: broker.producer(webhooks),
          concurrency,
          log: quiet,
          gatewayUrl: 'http://127.0.0.1:9',
          apart: [
            process.execPath,
            join(import.meta.dirname, 'worker-process.ts'),
            url,
            queueUrl,
            'test',
            'apart',
          ],
        },
        registry: kinds === undefined ? registry : openRegistry(kinds),
      })
      broker.consume(jobs, running.handler, { concurrency, onError: () => {} })
      const worker: TestWorker = {
        broker,
        async close(graceMs = 2_000) {
          workers.delete(worker)
          // As a process of ours does: what is handed over to a queue that closes waits for its lock, 10 s.
          await running.stopFeeding()
          await broker.close(graceMs)
          await running.close()
        },
      }
      workers.add(worker)
      return worker
    },
    async close() {
      for (const worker of workers) await worker.close()
      await submit.close()
      await announcer.close()
      await redis?.stop()
      if (own === undefined) await database.drop()
    },
  }
}
