import type { QueueContract } from '#queues/queue'
import type { EnqueueOptions, Producer } from './broker.ts'
import { within } from './deadline.ts'
import { type Engine, patienceMs } from './engine.ts'
import { BrokerDownError } from './errors.ts'
import { jobOptions } from './retry.ts'

/** Rows that Postgres refuses whatever the engine's health: NUL and lone surrogates in `jsonb`. */
const refusedData = /^22/

/** A bulk makes two temporary tables on Postgres; below this, single adds cost less. */
const fewInBulk = 8

export function createProducer<Payload>(engine: Engine, contract: QueueContract<Payload>): Producer<Payload> {
  const options = jobOptions(contract)
  return {
    async enqueue(payload, job) {
      const { name, data, opts } = made({ ...job, payload })
      await asked(`Enqueue on ${contract.name}`, async () => {
        const queue = await engine.queue(contract.name)
        await queue.add(name, data, opts)
      })
    },
    async enqueueMany(jobs) {
      const all = jobs.map(made)
      await asked(`Enqueue on ${contract.name}`, async () => {
        const queue = await engine.queue(contract.name)
        if (all.length >= fewInBulk) await queue.addBulk(all)
        else await Promise.all(all.map(({ name, data, opts }) => queue.add(name, data, opts)))
      })
    },
  }

  function made({ payload, id, name = contract.name, timestamp }: EnqueueOptions & { payload: Payload }) {
    if (id === '' || id.includes(':')) throw new Error(`Job id ${JSON.stringify(id)}: must have no colon`)
    const opts = { ...options, jobId: id, ...(timestamp === undefined ? {} : { timestamp }) }
    return { name, data: payload, opts }
  }
}

/**
 * Asks the engine, but not for longer than `patienceMs`.
 * @throws BrokerDownError unless it was the data that the engine did not take
 */
export async function asked<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await within(patienceMs, what, call())
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (refusedData.test(code)) throw error
    throw new BrokerDownError(what, error)
  }
}
