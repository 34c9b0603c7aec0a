import type { Sql, TransactionSql } from 'postgres'
import { type JobFilters, jobConditions, lookedUp } from '../reading/filters.ts'
import { ended, type State, states } from '../states.ts'

export type Action = 'retry' | 'cancel' | 'remove'

const open = states.filter((state) => !(ended as readonly State[]).includes(state))
const able: Record<Action, readonly State[]> = {
  retry: ['failed', 'cancelled', 'expired'],
  cancel: open,
  remove: ended,
}

/** The jobs that a filter names and that the action can do something to. */
export function narrowed(action: Action, filters: JobFilters): JobFilters {
  const { state } = filters
  const both = state === undefined ? able[action] : able[action].filter((one) => state.includes(one))
  return { ...filters, state: [...both] }
}

/** How many there are, and the newest few. */
export async function countTargets(
  sql: Sql,
  filters: JobFilters,
): Promise<{ count: number; newest: string[] }> {
  const known = await lookedUp(sql, filters)
  const [row] = await sql<[{ count: number; newest: string[] }]>`
    select (select count(*)::int from jobs j where ${jobConditions(sql, known)}) as count,
      coalesce((select array_agg(id) from (
        select j.id from jobs j where ${jobConditions(sql, known)} order by j.id desc limit 5) few), '{}') as newest`
  return row
}

/** The next ones below a position, newest first. */
export async function nextTargets(
  tx: TransactionSql,
  filters: JobFilters,
  { below, limit }: { below: string; limit: number },
): Promise<string[]> {
  const sql = tx as unknown as Sql
  const known = await lookedUp(sql, filters)
  const rows = await sql<{ id: string }[]>`
    select j.id from jobs j where ${jobConditions(sql, known)} and j.id < ${below} order by j.id desc limit ${limit}`
  return rows.map(({ id }) => id)
}
