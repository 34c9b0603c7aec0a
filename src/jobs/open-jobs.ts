import type { Sql } from 'postgres'
import type { Metrics } from '#lib/metrics'
import { openStore } from '#store'
import { type Announcer, openAnnouncer } from './events/announce.ts'
import { type Hub, openHub } from './events/hub.ts'
import type { Registry } from './registry.ts'
import { openSubmit, type Submit } from './submission/submit.ts'
import type { Receivers } from './webhooks/receivers.ts'

/** What a process that takes jobs has open. */
export type JobsDoor = {
  sql: Sql
  registry: Registry
  submit: Submit
  hub: Hub
  announcer: Announcer
  receivers: Receivers
  close(): Promise<void>
}

export type OpenJobsOptions = { url: string; registry: Registry; receivers: Receivers; metrics?: Metrics }

/** Connections of its own: what is submitted must not wait behind anything else. */
const connections = 3

export function openJobs({ url, registry, receivers, metrics }: OpenJobsOptions): JobsDoor {
  const store = openStore(url, { max: connections, name: 'sluice jobs' })
  const { sql } = store
  const announcer = openAnnouncer(sql)
  const hub = openHub(sql)
  const counter = metrics?.counter('sluice_jobs_submitted_total', 'Jobs taken.', ['kind'])
  const submit = openSubmit({ sql, registry, announcer, receivers, onStored: (kind) => counter?.add([kind]) })
  return {
    ...{ sql, registry, submit, hub, announcer, receivers },
    async close() {
      await submit.close()
      await hub.close()
      await announcer.close()
      await store.close()
    },
  }
}
