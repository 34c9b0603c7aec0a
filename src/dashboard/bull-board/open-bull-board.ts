import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { Broker } from '#broker'
import type { Live } from '../queues/live.ts'
import type { Contract } from '../queues/readings.ts'
import { type Parts, partsAdapter } from './adapter.ts'

/** Its queues and routes: as an operator has them, and as a reader. */
export type BullBoards = (may: 'act' | 'look') => Promise<Parts>

export type BullBoardOptions = {
  broker: Broker
  contracts: readonly Contract[]
  /** Knows the workers. */
  live: Pick<Live, 'now'>
}

/** Made with the first request: a gateway does without it. @returns rejects with BrokerDownError */
export function openBullBoards({ broker, contracts, live }: BullBoardOptions): BullBoards {
  const made = new Map<'act' | 'look', Promise<Parts>>()
  return (may) => {
    const known = made.get(may) ?? make(may)
    made.set(may, known)
    known.catch(() => made.delete(may))
    return known
  }

  async function make(may: 'act' | 'look'): Promise<Parts> {
    const queues = await Promise.all(
      contracts.map(async ({ name, opaque }) => {
        const options = { readOnlyMode: may === 'look', allowRetries: may === 'act', prefix: '' }
        const adapter = new BullMQAdapter(await broker.native(name), options)
        // It looks for connections by names that ours, which many queues share, do not have; and on Redis alone.
        adapter.getWorkers = () => workersOf(name)
        if (opaque) adapter.setFormatter('data', () => 'not for people')
        return adapter
      }),
    )
    const serverAdapter = partsAdapter()
    createBullBoard({
      ...{ queues, serverAdapter },
      options: { uiConfig: { boardTitle: 'Sluice queues', miscLinks: [{ text: 'Sluice', url: '/queues' }] } },
    })
    return serverAdapter.parts
  }

  async function workersOf(queue: string) {
    const { queues } = await live.now(null)
    const workers = queues.find(({ name }) => name === queue)?.workers ?? []
    return workers.map(({ id, process, host, pid, started_at }) => ({
      ...{ id, name: process, addr: `${host} ${pid}` },
      age: Math.max(0, Math.round((Date.now() - Date.parse(started_at)) / 1_000)),
    }))
  }
}
