import type postgres from 'postgres'
import type { z } from 'zod'
import { isoTime } from '#lib/clock'
import { type Period, periodEnd, periodStart } from './period.ts'
import { usd } from './refusals.ts'
import type { BudgetView, budgetChange, budgetInput } from './shapes.ts'

type Sql = postgres.Sql
type BudgetRow = Omit<BudgetView, 'state'> & { spent: number; reserved: number; reset_at: string | null }

/** Newest first. */
export async function listBudgets(
  sql: Sql,
  page: { tenant: string | null; before: string | null; limit: number },
): Promise<BudgetView[]> {
  const rows = await sql<BudgetRow[]>`
    select ${columns(sql)} from budgets b ${standing(sql)}
    where (${page.tenant}::text is null or b.tenant = ${page.tenant}) and (${page.before}::uuid is null or b.id < ${page.before})
    order by b.id desc limit ${page.limit + 1}`
  return rows.map(viewOf)
}

export async function findBudget(sql: Sql, id: string, tenant: string | null): Promise<BudgetView | null> {
  const [row] = await sql<BudgetRow[]>`
    select ${columns(sql)} from budgets b ${standing(sql)}
    where b.id = ${id} and (${tenant}::text is null or b.tenant = ${tenant})`
  return row === undefined ? null : viewOf(row)
}

export async function insertBudget(
  sql: Sql,
  row: z.output<typeof budgetInput> & { id: string; tenant: string | null; webhook_secret: string | null },
): Promise<void> {
  await sql`insert into budgets ${sql(row)}`
}

export async function updateBudget(
  sql: Sql,
  id: string,
  change: z.output<typeof budgetChange> & { webhook_secret?: string; webhook_error?: null },
): Promise<boolean> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  const set: Record<string, unknown> = { ...Object.fromEntries(given), updated_at: isoTime(Date.now()) }
  return (await sql`update budgets set ${sql(set as Record<string, string>)} where id = ${id}`).count > 0
}

export async function deleteBudget(sql: Sql, id: string): Promise<boolean> {
  return (await sql`delete from budgets where id = ${id}`).count > 0
}

/** What was spent in the period that runs now counts no more. What is reserved at the moment still will. */
export async function resetBudget(sql: Sql, id: string, period: Period): Promise<void> {
  await sql`
    update budget_periods set forgiven_micros = greatest(settled_micros, recorded_micros), resets = resets + 1,
      reset_at = now()
    where budget_id = ${id} and starts_at = ${isoTime(periodStart(period, Date.now()))}`
}

function columns(sql: Sql) {
  return sql`b.id, b.name, b.scope, b.subject, b.tenant, b.period, b.limit_micros, b.on_outage, b.unknown_price,
    b.thresholds, b.webhook_url, b.webhook_error, b.enabled, ${iso(sql, sql`b.created_at`)} as created_at,
    ${iso(sql, sql`b.updated_at`)} as updated_at,
    coalesce(greatest(p.settled_micros, p.recorded_micros) - p.forgiven_micros, budget_recorded(b, s.starts_at)) as spent,
    l.held as reserved, ${iso(sql, sql`p.reset_at`)} as reset_at`
}

/** A period that no call was made in yet has no row: the record says what was spent. */
function standing(sql: Sql) {
  return sql`
    cross join lateral (select case b.period when 'total' then 'epoch'::timestamptz
      else date_trunc(b.period, now(), 'UTC') end as starts_at) s
    left join budget_periods p on p.budget_id = b.id and p.starts_at = s.starts_at
    cross join lateral (select coalesce(sum(held_micros), 0)::bigint as held from budget_leases
      where budget_id = b.id and starts_at = s.starts_at and expires_at > now()) l`
}

function viewOf({ spent, reserved, reset_at, ...row }: BudgetRow): BudgetView {
  const start = periodStart(row.period, Date.now())
  const end = periodEnd(row.period, start)
  return {
    ...row,
    state: {
      starts_at: row.period === 'total' ? null : isoTime(start),
      ends_at: end === null ? null : isoTime(end),
      spent_micros: spent,
      reserved_micros: reserved,
      remaining_micros: Math.max(0, row.limit_micros - spent - reserved),
      spent: usd(spent),
      limit: usd(row.limit_micros),
      reset_at,
    },
  }
}

/** As text, so that no driver setting and no time zone can change it. */
export function iso(sql: Sql, column: postgres.Fragment) {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}
