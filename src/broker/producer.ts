import type { QueueContract } from '#queues/queue'
import type { Producer } from './broker.ts'
import { within } from './deadline.ts'
import { type Engine, patienceMs } from './engine.ts'
import { BrokerDownError } from './errors.ts'
import { jobOptions } from './retry.ts'

/** Rows that Postgres refuses whatever the engine's health: NUL and lone surrogates in `jsonb`. */
const refusedData = /^22/

export function createProducer<Payload>(engine: Engine, contract: QueueContract<Payload>): Producer<Payload> {
  const options = jobOptions(contract)
  return {
    async enqueue(payload, { id, name = contract.name }) {
      if (id === '' || id.includes(':')) throw new Error(`Job id ${JSON.stringify(id)}: must have no colon`)
      await asked(`Enqueue on ${contract.name}`, async () => {
        const queue = await engine.queue(contract.name)
        await queue.add(name, payload, { ...options, jobId: id })
      })
    },
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
