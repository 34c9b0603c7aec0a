import type { Sql } from 'postgres'
import { newId } from '#lib/ids'
import { plantJob } from '../dashboard/rows.ts'

/** Rows of the tenant `there`, as the domain of jobs has them. */

export async function plantBulk(sql: Sql): Promise<string> {
  const id = newId()
  const row = {
    id,
    tenant: 'there',
    action: 'retry',
    filter: sql.json({ tenant: 'there' }),
    per_second: 1,
  }
  await sql`insert into job_bulks ${sql({ ...row, state: 'paused', total: 1, position: id } as never)}`
  return id
}

export async function plantWebhook(sql: Sql): Promise<string> {
  const id = newId()
  const row = {
    id,
    tenant: 'there',
    name: 'one',
    url: 'http://127.0.0.1:9/',
    secret: 's',
    events: ['failed'],
  }
  await sql`insert into job_webhooks ${sql(row)}`
  return id
}

/** What was told to a webhook. @returns its id */
export async function plantDelivery(sql: Sql, webhook: string): Promise<string> {
  const id = newId()
  const row = {
    id,
    webhook_id: webhook,
    lane: webhook,
    event: 'test',
    data: sql.json({}),
    state: 'delivered',
  }
  await sql`insert into job_deliveries ${sql(row as never)}`
  return id
}

export async function plantSchedule(sql: Sql): Promise<string> {
  const id = newId()
  const job = { kind: 'http-request', priority: 0, tags: [], concurrency_limit: 1 }
  const input = Bun.zstdCompressSync('{"path":"/p/mock/v1/messages"}')
  const row = { id, tenant: 'there', capture: 'full', name: 'nightly', type: 'interval', every_ms: 60_000 }
  const rest = { overlap: 'allow', missed: 'once', job: sql.json(job), input, enabled: false }
  await sql`insert into job_schedules ${sql({ ...row, ...rest } as never)}`
  return id
}

/** One that has an input, a result and a file. */
export async function plantWholeJob(sql: Sql): Promise<string> {
  const id = await plantJob(sql, { tenant: 'there', input: {} })
  await sql`insert into job_bodies (job_id, part, body) values (${id}, 'result', ${Bun.zstdCompressSync('{}')})`
  await sql`insert into job_files (job_id, n, data) values (${id}, 0, ${Bun.zstdCompressSync('x')})`
  await sql`update jobs set file_bytes = 1, result_bytes = 2 where id = ${id}`
  return id
}
