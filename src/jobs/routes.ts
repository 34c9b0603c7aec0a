import { Elysia } from 'elysia'
import type postgres from 'postgres'
import type { Audit, Authorise } from '#access'
import { bulkRoutes } from './bulk/bulk-routes.ts'
import { controlRoutes } from './control/control-routes.ts'
import type { JobsDoor } from './open-jobs.ts'
import { jobReadRoutes } from './reading/job-routes.ts'
import { scheduleRoutes } from './schedules/schedule-routes.ts'
import { submitRoutes } from './submission/submit-routes.ts'
import { deliveryRoutes } from './webhooks/delivery-routes.ts'
import { webhookRoutes } from './webhooks/webhook-routes.ts'

export type JobRoutesOptions = {
  jobs: JobsDoor
  /** Lists and details are read on the pool of reads, within its bounds. */
  read: <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>
  authorise: Authorise
  audit?: Audit
  /** Between signs of life on a stream of events. @default 10_000 */
  heartbeatMs?: number
}

/** Jobs over HTTP. Who asks sees the own tenant only; another tenant's id answers as one that does not exist. */
export function jobRoutes({ jobs, ...options }: JobRoutesOptions) {
  return new Elysia({ name: 'jobs' })
    .use(submitRoutes({ ...options, ...jobs }))
    .use(jobReadRoutes({ ...options, ...jobs }))
    .use(bulkRoutes({ ...options, ...jobs }))
    .use(controlRoutes({ ...options, ...jobs }))
    .use(scheduleRoutes({ ...options, ...jobs }))
    .use(webhookRoutes({ ...options, ...jobs }))
    .use(deliveryRoutes({ ...options, ...jobs }))
}
