import type { Sql } from 'postgres'
import { jobColumns } from '#jobs'
import { cutBody } from './bodies.ts'
import type { RowDetail, RowView } from './view.ts'

const eventsAtMost = 500
const relativesAtMost = 100

type Relative = RowDetail['needs'][number]
type Head = RowView & Pick<RowDetail, 'concurrency_limit' | 'parent_id' | 'backoff'>

/** Everything of one job, its bodies cut where they are long. Null where there is none in reach. */
export async function rowOf(
  sql: Sql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<RowDetail | null> {
  const [head] = await sql<Head[]>`
    select ${jobColumns(sql)}, j.concurrency_limit, j.parent_id, j.backoff
    from jobs j where j.id = ${id} and (${tenant}::text is null or j.tenant = ${tenant})`
  if (head === undefined) return null
  const [attempt_list, events, needs, needed_by, children] = await Promise.all([
    attemptsOf(sql, id),
    eventsOf(sql, id),
    relatives(sql, sql`select needs from job_dependencies where job_id = ${id}`),
    relatives(sql, sql`select job_id from job_dependencies where needs = ${id}`),
    relatives(sql, sql`select id from jobs where parent_id = ${id}`),
  ])
  const bodies = await sql<{ part: 'input' | 'result' | 'stack'; body: Buffer }[]>`
    select part, body from job_bodies where job_id = ${id}`
  const body = async (part: string) => {
    const found = bodies.find((one) => one.part === part)
    return found === undefined ? null : await cutBody(found.body)
  }
  const [input, result, stack] = await Promise.all([body('input'), body('result'), body('stack')])
  return { ...head, input, result, stack, attempt_list, ...events, needs, needed_by, children }
}

async function attemptsOf(sql: Sql, id: string): Promise<RowDetail['attempt_list']> {
  return await sql<RowDetail['attempt_list']>`
    select j.attempt, j.worker, ${iso(sql, 'started_at')}, ${iso(sql, 'ended_at')}, j.outcome, j.error,
      j.wait_ms::float8 as wait_ms
    from job_attempts j where j.job_id = ${id} order by j.attempt`
}

/** The latest, in their order. */
async function eventsOf(sql: Sql, id: string): Promise<Pick<RowDetail, 'events' | 'events_left_out'>> {
  const rows = await sql<RowDetail['events']>`
    select j.n, ${iso(sql, 'at')}, j.kind, j.data from job_events j
    where j.job_id = ${id} order by j.n desc limit ${eventsAtMost}`
  const events = rows.toReversed()
  return { events, events_left_out: rows.length < eventsAtMost ? 0 : Math.max(0, (events[0]?.n ?? 1) - 1) }
}

async function relatives(sql: Sql, ids: ReturnType<Sql>): Promise<Relative[]> {
  return await sql<Relative[]>`
    select id, kind, state from jobs where id in (${ids}) order by id limit ${relativesAtMost}`
}

function iso(sql: Sql, column: string) {
  return sql`to_char(j.${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`
}
