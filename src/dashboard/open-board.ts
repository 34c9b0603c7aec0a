import type { Sql } from 'postgres'
import type { Audit, Authorise } from '#access'
import type { Broker } from '#broker'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'
import type { Board } from './board-deps.ts'
import { openLive } from './queues/live.ts'
import { openPoll } from './queues/poll.ts'
import type { Contract } from './queues/readings.ts'

export type BoardOptions = {
  sql: Sql
  broker: Broker
  authorise: Authorise
  audit: Audit
  contracts: readonly Contract[]
  rowsQueue: string
  vault: Vault
  allowPrivate: boolean
  log: Logger
  /** Between looks at the engine. @default 2_000 */
  everyMs?: number
  /** Between looks at the rows and at what workers measured. @default 2_000 */
  slowMs?: number
}

export function openBoard(options: BoardOptions): Board & { close(): void } {
  const { everyMs, slowMs, ...parts } = options
  const poll = openPoll({ ...parts, ...(slowMs === undefined ? {} : { slowMs }) })
  const engine = parts.broker.engine
  const live = openLive({ poll, engine, log: parts.log, ...(everyMs === undefined ? {} : { everyMs }) })
  return { ...parts, live, close: live.close }
}
