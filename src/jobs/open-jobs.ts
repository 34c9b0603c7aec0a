import type { Sql } from 'postgres'
import type { Metrics } from '#lib/metrics'
import { openStore } from '#store'
import { type Announcer, openAnnouncer } from './events/announce.ts'
import { type Hub, openHub } from './events/hub.ts'
import type { Registry } from './registry.ts'
import { openSubmit, type Submit } from './submission/submit.ts'

/** What a process that takes jobs has open. */
export type JobsDoor = {
  sql: Sql
  registry: Registry
  submit: Submit
  hub: Hub
  announcer: Announcer
  close(): Promise<void>
}

export type OpenJobsOptions = { url: string; registry: Registry; metrics?: Metrics }

/** Connections of its own: what is submitted must not wait behind anything else. */
const connections = 3

export function openJobs({ url, registry, metrics }: OpenJobsOptions): JobsDoor {
  const store = openStore(url, { max: connections, name: 'sluice jobs' })
  const { sql } = store
  const announcer = openAnnouncer(sql)
  const hub = openHub(sql)
  const counter = metrics?.counter('sluice_jobs_submitted_total', 'Jobs taken.', ['kind'])
  const submit = openSubmit({ sql, registry, announcer, onStored: (kind) => counter?.add([kind]) })
  return {
    ...{ sql, registry, submit, hub, announcer },
    async close() {
      await submit.close()
      await hub.close()
      await announcer.close()
      await store.close()
    },
  }
}
