import { Webhook } from 'standardwebhooks'
import { webhooks } from '#queues/webhooks'
import { jobWebhookHandler } from '../../src/jobs/webhooks/deliver.ts'
import { type Script, type Seen, scriptedUpstream, type Upstream } from '../support/upstream.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { type Engine, openRig, type Rig, receivers } from './support.ts'

export type Delivery = {
  id: string
  job_id: string
  state: string
  tries: number
  status: number | null
  error: string | null
  answer: string | null
}
export type Hook = {
  id: string
  secret: string
  enabled: boolean
  error: string | null
  old_secret_until: string | null
}

/** Routes, a worker of jobs and of webhooks, and a receiver that answers as the test says. */
export type Hooks = {
  rig: Rig
  one: JobsApp
  receiver: Upstream
  answer(script: Script): void
  add(body?: Record<string, unknown>): Promise<Hook>
  show(id: string): Promise<Hook>
  deliveries(id: string): Promise<Delivery[]>
  ofJob(id: string): Promise<Delivery[]>
  close(): Promise<void>
}

/** For an answer, in ms: time enough for a receiver on a machine that is busy. */
export const patienceMs = 2_000

export async function openHooks(engine: Engine): Promise<Hooks> {
  let script: Script = (reply) => reply.answer(200, {})
  const rig = await openRig(engine, async () => Promise.reject(new Error('bad luck')))
  const one = await openJobsApp({ database: rig.database })
  const { broker } = await rig.worker()
  const receiver = await scriptedUpstream((reply, seen) => script(reply, seen))
  const waitS = (tries: number) => (tries < 6 ? 0.02 : null)
  const { sql } = rig.database
  const handler = jobWebhookHandler({ ...receivers, sql, waitS, timeoutMs: patienceMs })
  broker.consume(webhooks, handler, { concurrency: 32, onError: () => {} })
  const items = async (path: string) => ((await one.ask('GET', path)).json as { items: Delivery[] }).items
  return {
    ...{ rig, one, receiver },
    answer(next) {
      script = next
    },
    async add(body = {}) {
      const url = `${receiver.url}/hook`
      return (await one.ask('POST', '/api/webhooks', { body: { name: 'one', url, ...body } })).json as Hook
    },
    show: async (id) => (await one.ask('GET', `/api/webhooks/${id}`)).json as Hook,
    deliveries: (id) => items(`/api/webhooks/${id}/deliveries`),
    ofJob: (id) => items(`/api/jobs/${id}/deliveries`),
    async close() {
      await one.close()
      await rig.close()
      await receiver.close()
    },
  }
}

/** @throws where the signature is not the secret's */
export function verified(
  secret: string,
  seen: Seen | undefined,
): { type: string; data: Record<string, unknown> } {
  const headers = Object.fromEntries(
    (seen?.headers ?? []).map(([name, value]) => [name.toLowerCase(), value]),
  )
  return new Webhook(secret).verify(seen?.body.toString() ?? '', headers) as never
}
