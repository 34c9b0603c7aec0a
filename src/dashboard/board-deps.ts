import type { Sql } from 'postgres'
import type { Audit, Authorise } from '#access'
import type { Broker } from '#broker'
import type { Logger } from '#lib/log'
import type { Vault } from '#lib/vault'
import type { Live } from './queues/live.ts'
import type { Contract } from './queues/readings.ts'

/** What the dashboard's routes share. */
export type Board = {
  sql: Sql
  broker: Broker
  authorise: Authorise
  audit: Audit
  live: Live
  log: Logger
  /** Every queue of the installation, in the order in which they are shown. */
  contracts: readonly Contract[]
  /** The one whose jobs are rows. */
  rowsQueue: string
  /** Seals the secrets that webhooks are signed with. */
  vault: Vault
  /** May webhooks go to this machine or its network? */
  allowPrivate: boolean
}

export const tag = 'queues'
