import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openApart } from '../../src/jobs/running/apart.ts'
import type { Begun } from '../../src/jobs/running/begin.ts'
import { quiet } from '../jobs/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { repository, spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
}, 60_000)
afterAll(() => database.drop())

const job: Begun = {
  ...{ id: crypto.randomUUID(), tenant: 'default', key_id: null, kind: 'replay', capture: 'full', input: {} },
  ...{ attempt: 3, attempts: 1, spared: 2, deaths: 2, timeout_ms: 60_000, wait_ms: 0 },
  backoff: { type: 'fixed', ms: 1, max_ms: 1 },
}
const how = { signal: new AbortController().signal, onBegun: () => {} }

test('the process of one job knows the kinds of workers, and tells what became of it', async () => {
  const program = join(repository, 'src/processes/job.ts')
  const command = ['env', `DATABASE_URL=${database.url}`, process.execPath, program]
  const end = await openApart({ command, log: quiet }).run(job, how)
  expect(end).toMatchObject({ state: 'failed', outcome: 'failed' })
  expect(end.error?.text).toContain('its input is none of replay any more')
}, 30_000)

test('a worker starts it for a job over which two workers died', async () => {
  const { sql } = database
  const { id } = job
  await sql`
    insert into jobs (id, tenant, kind, state, backoff, attempt, spared, renewed)
    values (${id}, 'default', 'replay', 'queued', ${sql.json(job.backoff)}, 2, 2, 0)`
  await sql`
    insert into job_attempts (job_id, attempt, worker, started_at, ended_at, outcome, wait_ms)
    select ${id}, n, 'dead', now(), now(), 'lost', 0 from generate_series(1, 2) n`
  const env = { DATABASE_URL: database.url, QUEUE_URL: undefined, LOG_LEVEL: 'info' }
  const worker = spawnProcess(['bun', 'src/processes/worker.ts', 'jobs'], { env })
  await worker.line(/"ready"/, 20_000)
  let error = ''
  await until('it has ended', async () => {
    const [row] = await sql<{ error: string }[]>`select error from jobs where id = ${id} and attempt = 3`
    error = row?.error ?? ''
    return error !== ''
  })
  expect(error).toContain('its input is none of replay any more')
  expect(await worker.kill()).toBe(0)
}, 40_000)

test('where no such process can be started, the job is not to blame, and tried again', async () => {
  for (const command of [['false'], ['/no/such/program']]) {
    const end = await openApart({ command, log: quiet }).run(job, how)
    expect(end).toMatchObject({ state: 'scheduled', spared: true, error: { name: 'NotBegun' } })
  }
})
