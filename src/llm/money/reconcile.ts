import type { Sql } from 'postgres'

/**
 * Takes the record's word for what was spent in the periods now running: what a gateway could not settle as it died
 * counts from then on. The sums are small, and one process at a time adds them up.
 */
export async function reconcile(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    const [lock] = await tx<{ mine: boolean }[]>`select pg_try_advisory_xact_lock(1366351874) as mine`
    if (lock?.mine !== true) return
    const periods = await tx<{ budget_id: string; starts_at: string; recorded: number; known: number }[]>`
      select p.budget_id, p.starts_at::text, p.recorded_micros as known, budget_recorded(b, p.starts_at) as recorded
      from budget_periods p join budgets b on b.id = p.budget_id
      where b.enabled and (b.period = 'total' or p.starts_at > now() - interval '32 days')
      order by p.budget_id, p.starts_at`
    for (const { budget_id, starts_at, recorded, known } of periods) {
      if (recorded <= known) continue
      await tx`update budget_periods set recorded_micros = ${recorded}
        where budget_id = ${budget_id} and starts_at = ${starts_at}::timestamptz`
    }
  })
}

/** Rows of gateways that are long gone, and of periods that are long over. */
export async function dropOldLeases(sql: Sql): Promise<void> {
  await sql`delete from budget_leases where expires_at < now() - interval '2 days'`
  await sql`delete from budget_periods p using budgets b where b.id = p.budget_id
    and ((b.period = 'day' and p.starts_at < now() - interval '400 days')
      or (b.period = 'month' and p.starts_at < now() - interval '5 years'))`
}
