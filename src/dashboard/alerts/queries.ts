import type { Sql, TransactionSql } from 'postgres'
import { newId } from '#lib/ids'
import type { EventView, RuleView } from './view.ts'

export type NewRule = Pick<
  RuleView,
  'name' | 'queue' | 'measure' | 'threshold' | 'for_s' | 'enabled' | 'webhook_url'
>

export async function insertRule(
  tx: TransactionSql,
  rule: NewRule & { id: string; webhook_secret: string | null },
): Promise<void> {
  await tx`insert into queue_alert_rules ${tx(rule)}`
}

export async function findRules(sql: Sql, id?: string): Promise<RuleView[]> {
  return await sql<RuleView[]>`
    select id, name, queue, measure, threshold, for_s, enabled, webhook_url, webhook_error, state, ${iso(sql, 'since')}, value,
      ${iso(sql, 'created_at')}
    from queue_alert_rules where ${id ?? null}::uuid is null or id = ${id ?? null}::uuid order by queue, id`
}

/** What is new of it counts when it is next measured: a rule that fires goes on to fire, or is told to be over. */
export async function updateRule(
  tx: TransactionSql,
  id: string,
  change: Record<string, unknown>,
): Promise<void> {
  if (Object.keys(change).length > 0) await tx`update queue_alert_rules set ${tx(change)} where id = ${id}`
}

/** One that is turned on is measured anew; of one that is turned off while it fires nobody would hear the end. */
export async function switchRule(tx: TransactionSql, id: string, enabled: boolean): Promise<void> {
  if (!enabled)
    await tx`
      insert into queue_alert_events (id, rule_id, type, value, threshold)
      select ${newId()}, id, 'resolved', null, threshold from queue_alert_rules where id = ${id} and state = 'firing'`
  await tx`
    update queue_alert_rules set enabled = ${enabled}, state = 'ok', value = null, since = now()
    where id = ${id} and enabled <> ${enabled}`
}

export async function deleteRule(tx: TransactionSql, id: string): Promise<void> {
  await tx`delete from queue_alert_rules where id = ${id}`
}

export async function latestEvents(sql: Sql, limit: number): Promise<EventView[]> {
  return await sql<EventView[]>`
    select e.id, e.rule_id, r.name, r.queue, r.measure, e.type, ${iso(sql, 'at')}, e.value, e.threshold,
      ${iso(sql, 'delivered_at')}, e.error
    from queue_alert_events e join queue_alert_rules r on r.id = e.rule_id order by e.id desc limit ${limit}`
}

/** Told to nobody within a minute: the queue was down, or the gateway died. */
export async function overdueEvents(sql: Sql): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select e.id from queue_alert_events e join queue_alert_rules r on r.id = e.rule_id
    where e.delivered_at is null and e.error is null and r.webhook_url is not null and r.webhook_error is null
      and e.at between now() - interval '1 day' and now() - interval '1 minute'
    order by e.at limit 100`
  return rows.map(({ id }) => id)
}

function iso(sql: Sql, column: string) {
  return sql`to_char(${sql(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${sql(column)}`
}
