import type { JSONValue, Sql } from 'postgres'
import type { ExchangeOpen } from '#capture'
import { SluiceError } from '#lib/errors'
import type { Step } from './climb.ts'

export type ClimbRow = {
  id: string
  tenant: string
  exchange_id: string
  route: string | null
  outcome: 'rung' | 'consensus' | 'human' | 'waiting' | 'exhausted' | 'failed'
  steps: Step[]
  consensus: { reached: boolean; needed: number; agreement: number; by: string; groups: string[][] } | null
  cost_micros: number
  unpriced: number
  task_id: string | null
}

export async function insertClimb(sql: Sql, { steps, consensus, ...row }: ClimbRow): Promise<void> {
  const json = {
    steps: sql.json(steps as unknown as JSONValue),
    consensus: sql.json(consensus as unknown as JSONValue),
  }
  await sql`insert into climbs ${sql({ ...row, ...json, consensus: consensus === null ? null : json.consensus })}`
}

export async function findClimb(sql: Sql, id: string, tenant: string | null): Promise<ClimbRow | null> {
  const [row] = await sql<ClimbRow[]>`
    select * from climbs where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`
  return row ?? null
}

export type TaskInput = {
  id: string
  tenant: string
  key_id: string | null
  route: string | null
  climb_id: string
  exchange_id: string
  request_hash: Uint8Array
  instructions: string
  question: string
  proposals: { model: string; text: string }[]
}

export type TaskRow = Omit<TaskInput, 'request_hash'> & {
  status: 'waiting' | 'answered'
  answer: string | null
  answered_by: string | null
  answered_at: Date | null
}

/**
 * The task, or the one that waits for the same request already.
 * @throws SluiceError 424 in `metadata` mode, in which no content may be stored
 */
export async function insertTask(
  sql: Sql,
  { proposals, ...task }: TaskInput,
  mode: ExchangeOpen['mode'],
): Promise<string> {
  if (mode !== 'full') {
    throw new SluiceError(
      424,
      'no-human',
      'No rung of the ladder was good enough, and a human cannot be asked: this key records no content',
    )
  }
  const row = { ...task, proposals: sql.json(proposals) }
  const [made] = await sql<{ id: string }[]>`
    insert into human_tasks ${sql(row)}
    on conflict (tenant, request_hash) where status = 'waiting' do update set status = 'waiting'
    returning id`
  return made?.id ?? task.id
}

/** The newest for the same request, of the last day. */
export async function taskOfRequest(
  sql: Sql,
  { tenant, hash, since }: { tenant: string; hash: Uint8Array; since: string },
): Promise<TaskRow | null> {
  const [row] = await sql<TaskRow[]>`
    select ${shown(sql)} from human_tasks
    where tenant = ${tenant} and request_hash = ${hash} and id > ${since} order by id desc limit 1`
  return row ?? null
}

export async function findTask(sql: Sql, id: string, tenant: string | null): Promise<TaskRow | null> {
  const [row] = await sql<TaskRow[]>`
    select ${shown(sql)} from human_tasks where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`
  return row ?? null
}

export type TaskFilter = {
  tenant: string | null
  status: string | null
  before: string | null
  limit: number
}

/** Newest first, one more than `limit` where there are more. */
export async function listTasks(sql: Sql, { tenant, status, before, limit }: TaskFilter): Promise<TaskRow[]> {
  return await sql<TaskRow[]>`
    select ${shown(sql)} from human_tasks
    where true ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}
      ${status === null ? sql`` : sql`and status = ${status}`} ${before === null ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit + 1}`
}

/** False where it is answered already, or was never asked. */
export async function answerTask(
  sql: Sql,
  id: string,
  { answer, by }: { answer: string; by: string | null },
): Promise<boolean> {
  const done = await sql`
    update human_tasks set status = 'answered', answer = ${answer}, answered_by = ${by}, answered_at = now()
    where id = ${id} and status = 'waiting'`
  return done.count > 0
}

function shown(sql: Sql) {
  return sql`id, tenant, key_id, route, climb_id, exchange_id, status, instructions, question, proposals, answer,
    answered_by, answered_at`
}
