import type { Sql, TransactionSql } from 'postgres'
import type { JobFilters } from '../reading/filters.ts'
import type { BulkView } from './shapes.ts'

const moves = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  cancel: { from: ['running', 'paused'], to: 'cancelled' },
} as const
export type Move = keyof typeof moves

type NewBulk = Pick<BulkView, 'id' | 'tenant' | 'key_id' | 'action' | 'per_second' | 'total'> & {
  filter: JobFilters
  /** Jobs from this id on are none of its. */
  below: string
}

export async function insertBulk(sql: TransactionSql, { below, filter, ...row }: NewBulk): Promise<void> {
  await sql`
    insert into job_bulks (id, tenant, key_id, action, per_second, total, state, filter, position)
    values (${row.id}, ${row.tenant}, ${row.key_id}, ${row.action}, ${row.per_second}, ${row.total}, 'running',
      ${JSON.stringify(filter)}::text::jsonb, ${below})`
}

export async function findBulk(sql: Sql, id: string, tenant: string | null): Promise<BulkView | null> {
  const [row] = await sql<
    BulkView[]
  >`select ${columns(sql)} from job_bulks where id = ${id} ${within(sql, tenant)}`
  return row ?? null
}

/** Newest first. */
export async function listBulks(sql: Sql, tenant: string | null, limit: number): Promise<BulkView[]> {
  return await sql<BulkView[]>`
    select ${columns(sql)} from job_bulks where true ${within(sql, tenant)} order by id desc limit ${limit}`
}

/** @returns null where it is in no state for that */
export async function moveBulk(sql: TransactionSql, id: string, move: Move): Promise<BulkView | null> {
  const { from, to } = moves[move]
  const [row] = await sql<BulkView[]>`
    update job_bulks set state = ${to}, allowance = 0, allowance_at = now(),
      ended_at = case when ${move === 'cancel'} then now() end
    where id = ${id} and state = any(${[...from]}::text[]) returning ${columns(sql)}`
  return row ?? null
}

function within(sql: Sql, tenant: string | null) {
  return tenant === null ? sql`` : sql`and tenant = ${tenant}`
}

function columns(sql: Sql | TransactionSql) {
  const time = (name: string) =>
    sql`to_char(${sql(name)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(name)}`
  return sql`id, tenant, key_id, action, filter, per_second, state, total, changed, error, ${time('created_at')},
    ${time('ended_at')}, case when state = 'done' or total = 0 then 1.0
      else least(1, changed::float8 / total) end::float8 as progress`
}
