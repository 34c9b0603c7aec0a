import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type JobsApp, openJobsApp } from './http.ts'

let one: JobsApp
beforeAll(async () => {
  one = await openJobsApp()
}, 60_000)
afterAll(() => one.close())

type Made = { id: string }
const made = async (path: string, body: Record<string, unknown>) =>
  ((await one.ask('POST', path, { body })).json as Made).id
const job = { kind: 'echo', input: {} }

/** Everything that the deeds below change. */
async function state(): Promise<unknown> {
  const { sql } = one.database
  const tables = ['jobs', 'job_events', 'job_schedules', 'job_webhooks', 'job_bulks', 'job_deliveries']
  const all = tables.map(async (table) => {
    const [row] = await sql`select coalesce(json_agg(t order by t::text), '[]') as rows from ${sql(table)} t`
    return row?.rows
  })
  return await Promise.all(all)
}

test('a deed that cannot be written down is not done, and one that is done is written down once', async () => {
  const { sql } = one.database
  const later = await made('/api/jobs', { ...job, delay: 600 })
  const sooner = await made('/api/jobs', { ...job, delay: 600 })
  const over = await made('/api/jobs', { ...job, delay: 600 })
  const gone = await made('/api/jobs', { ...job, delay: 600 })
  for (const id of [over, gone]) await sql`update jobs set state = 'failed' where id = ${id}`
  const schedule = await made('/api/schedules', { name: 'a', cron: '0 3 1 1 *', job })
  const webhook = await made('/api/webhooks', { name: 'a', url: 'http://127.0.0.1:9/' })
  const bulk = await made('/api/jobs/bulk', { action: 'remove', filter: { tag: 'none' } })
  await sql`truncate audit_log`
  const deeds: [action: string, method: string, path: string, body?: Record<string, unknown>][] = [
    ['job.cancel', 'POST', `/api/jobs/${later}/cancel`],
    ['job.promote', 'POST', `/api/jobs/${sooner}/promote`],
    ['job.retry', 'POST', `/api/jobs/${over}/retry`],
    ['job.remove', 'DELETE', `/api/jobs/${gone}`],
    ['jobs.cancel', 'POST', '/api/jobs/bulk', { action: 'cancel', filter: { tag: 'none' } }],
    ['bulk.pause', 'POST', `/api/jobs/bulk/${bulk}/pause`],
    ['schedule.create', 'POST', '/api/schedules', { name: 'b', cron: '0 3 1 1 *', job }],
    ['schedule.change', 'PATCH', `/api/schedules/${schedule}`, { name: 'c' }],
    ['schedule.run', 'POST', `/api/schedules/${schedule}/run`],
    ['schedule.delete', 'DELETE', `/api/schedules/${schedule}`],
    ['webhook.create', 'POST', '/api/webhooks', { name: 'b', url: 'http://127.0.0.1:9/' }],
    ['webhook.change', 'PATCH', `/api/webhooks/${webhook}`, { name: 'c' }],
    ['webhook.rotate', 'POST', `/api/webhooks/${webhook}/rotate`],
    ['webhook.test', 'POST', `/api/webhooks/${webhook}/test`],
    ['webhook.delete', 'DELETE', `/api/webhooks/${webhook}`],
  ]
  await sql`alter table audit_log rename to audit_log_away`
  const before = await state()
  for (const [action, method, path, body] of deeds) {
    const { status } = await one.ask(method, path, { body })
    expect([action, status >= 500]).toEqual([action, true])
  }
  expect(await state()).toEqual(before)

  await sql`alter table audit_log_away rename to audit_log`
  for (const [action, method, path, body] of deeds) {
    const { status, text } = await one.ask(method, path, { body })
    expect([action, status < 300, text]).toEqual([action, true, text])
  }
  const rows = await sql<
    { action: string; outcome: string }[]
  >`select action, outcome from audit_log order by id`
  expect(rows.map(({ action }) => action)).toEqual(deeds.map(([action]) => action))
  expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(['done']))
})
