import type { Sql } from 'postgres'
import { newId } from '#lib/ids'
import type { Measured } from './measure.ts'
import type { RuleView } from './view.ts'

type Rule = Pick<RuleView, 'id' | 'queue' | 'measure' | 'threshold' | 'for_s' | 'state'> & { held_s: number }

/** Measured by another gateway as lately as this: not again. */
const freshS = 4

/**
 * Moves every rule to the state that its measure now means, and writes down what there is to tell. Of several gateways
 * one does it at a time, in one transaction, so that each change of state is told once.
 * @returns the events to tell
 */
export async function evaluate(sql: Sql, measured: Measured): Promise<string[]> {
  return (await sql.begin(async (transaction) => {
    const tx = transaction as unknown as Sql
    const [lock] = await tx<{ held: boolean }[]>`
      select pg_try_advisory_xact_lock(hashtext('sluice queue alerts')) as held`
    if (lock?.held !== true) return []
    const rules = await tx<Rule[]>`
      select id, queue, measure, threshold, for_s, state, extract(epoch from now() - since)::float8 as held_s
      from queue_alert_rules
      where enabled and (evaluated_at is null or evaluated_at < now() - make_interval(secs => ${freshS}))`
    const events: string[] = []
    for (const rule of rules) {
      const value = await measured(rule.queue, rule.measure)
      const state = value === null ? rule.state : next(rule, value > rule.threshold)
      await tx`
        update queue_alert_rules set value = ${value}, evaluated_at = now(), state = ${state},
          since = case when state = ${state} then since else now() end
        where id = ${rule.id}`
      const type = state === 'firing' ? 'fired' : 'resolved'
      if (state === rule.state || (state !== 'firing' && rule.state !== 'firing')) continue
      const id = newId()
      events.push(id)
      await tx`
        insert into queue_alert_events (id, rule_id, type, value, threshold)
        values (${id}, ${rule.id}, ${type}, ${value}, ${rule.threshold})`
    }
    return events
  })) as string[]
}

function next({ state, for_s, held_s }: Rule, holds: boolean): Rule['state'] {
  if (!holds) return 'ok'
  if (state === 'firing') return 'firing'
  if (for_s === 0) return 'firing'
  return state === 'pending' && held_s >= for_s ? 'firing' : 'pending'
}
