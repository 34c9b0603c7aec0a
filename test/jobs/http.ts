import type { AnyElysia } from 'elysia'
import { type Access, openAudit } from '#access'
import { openReading } from '#capture'
import { builtInKinds, openJobs, openRegistry } from '#jobs'
import { jobRoutes } from '#routes/jobs'
import { adminKey, plantKey, testAccess } from '../access/support.ts'
import { testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { quiet, receivers, testKinds } from './support.ts'

/** The routes of jobs over a database, as a gateway has them; nobody runs what is taken. */
export type JobsApp = {
  database: TestDatabase
  app: AnyElysia
  access: Access
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  /** A key of a tenant, known to the app. */
  key(options?: Parameters<typeof plantKey>[1]): Promise<string>
  close(): Promise<void>
}

export type AskOptions = { body?: unknown; raw?: string; headers?: Record<string, string>; key?: string }
export type Answer = { status: number; headers: Headers; json: never; text: string; response: Response }

/** `database`: of another app, whose it stays; `through`: the way that jobs take to it. */
export async function openJobsApp(
  options: { database?: TestDatabase; through?: (url: string) => string } = {},
): Promise<JobsApp> {
  const { through = (url: string) => url } = options
  const database = options.database ?? (await testDatabase())
  const { sql } = database
  const access = await testAccess(sql)
  const reading = openReading(database.url, { log: quiet })
  const registry = openRegistry([...builtInKinds(null), ...testKinds()])
  const jobs = openJobs({ url: through(database.url), registry, receivers })
  const { authorise } = access
  const app = testApp(access, {
    routes: [jobRoutes({ jobs, read: reading.read, authorise, audit: openAudit({ sql }), heartbeatMs: 100 })],
  })
  return {
    ...{ database, app, access },
    async ask(method, path, { body, raw, headers = {}, key = adminKey } = {}) {
      const text = raw ?? (body === undefined ? null : JSON.stringify(body))
      const response = await app.handle(
        new Request(`http://localhost${path}`, {
          ...{ method, body: text },
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        }),
      )
      const stream = /event-stream/.test(response.headers.get('content-type') ?? '')
      const said = stream ? '' : await response.text()
      const json = (
        /[/+]json/.test(response.headers.get('content-type') ?? '') && said ? JSON.parse(said) : null
      ) as never
      return { status: response.status, headers: response.headers, json, text: said, response }
    },
    async key(options = {}) {
      const { key } = await plantKey(sql, { scopes: ['call', 'read'], ...options })
      await access.refresh()
      return key
    },
    async close() {
      await jobs.close()
      await reading.close()
      await access.close()
      if (options.database === undefined) await database.drop()
    },
  }
}
