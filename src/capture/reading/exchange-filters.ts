import type postgres from 'postgres'
import { z } from 'zod'
import { time, uuid, word } from '#lib/fields'
import { outcome, protocol } from '../exchange.ts'
import { asksForClass, classConditions, classFilters } from './class-filters.ts'
import { asksForMcp, mcpConditions, mcpFilters } from './mcp-filters.ts'
import { idRange, tenant, wholeNumber } from './query.ts'

/** What lists, exports and the live tail of exchanges may be narrowed to; all that are given must hold. */
export const exchangeFilters = {
  since: time.optional(),
  until: time.optional(),
  tenant,
  model: word.optional().meta({ description: 'The model asked for, or the one that served' }),
  provider: word.optional(),
  key_id: word.optional(),
  status: z
    .string()
    .toLowerCase()
    .regex(/^[1-5](\d\d|xx)$/, 'must be a status as in 404, or a class as in 4xx')
    .optional(),
  outcome: z.enum(outcome.options, `must be one of ${outcome.options.join(', ')}`).optional(),
  tag: word
    .transform((text) => text.split(',').map((tag) => tag.trim()))
    .optional()
    .meta({ description: 'One, or several with commas between: each must be there' }),
  min_cost_micros: wholeNumber.optional().meta({ description: 'What has no price is left out' }),
  max_cost_micros: wholeNumber.optional().meta({ description: 'What has no price is left out' }),
  min_latency_ms: wholeNumber.optional().meta({ description: 'From the start to the end' }),
  max_latency_ms: wholeNumber.optional(),
  conversation: uuid.optional(),
  dialect: word.optional(),
  route: word.optional().meta({ description: 'The rule that said where it goes' }),
  protocol: z.enum(protocol.options, `must be one of ${protocol.options.join(', ')}`).optional(),
  cache: z
    .enum(['hit', 'shared', 'miss'], 'must be hit, shared or miss')
    .optional()
    .meta({ description: 'What the response cache had to do with it; hit and shared asked no provider' }),
  ...classFilters,
  ...mcpFilters,
}

const schema = z.strictObject(exchangeFilters)
export type ExchangeFilters = Omit<z.infer<typeof schema>, 'tenant'> & {
  /** Null: of every tenant. */
  tenant: string | null
}

/**
 * Exchanges as `x`, with their classes as `k` and the facts of MCP as `m` where these are asked for. Joins and no
 * subquery: so the planner may walk the index of what is asked for, which has the order of the list, and look up only
 * what it finds there.
 */
export function exchangesBy(sql: postgres.Sql, filters: Omit<ExchangeFilters, 'tenant'>): postgres.Fragment {
  const classes = asksForClass(filters)
    ? sql`exchange_classes k join exchanges x on x.id = k.id`
    : sql`exchanges x`
  return asksForMcp(filters) ? sql`${classes} join mcp_exchanges m on m.id = x.id` : classes
}

/** The conditions of SQL for the filters, on a table that goes by the name `x`. */
export function exchangeConditions(sql: postgres.Sql, filters: ExchangeFilters): postgres.Fragment {
  const { from, before } = idRange(filters)
  const [status, statusBelow] = statusRange(filters.status)
  // As the index has it.
  const latency = sql`(x.ended_at - x.started_at)`
  const all: (postgres.Fragment | false)[] = [
    from !== undefined && sql`x.id >= ${from}`,
    before !== undefined && sql`x.id < ${before}`,
    filters.tenant !== null && sql`x.tenant = ${filters.tenant}`,
    filters.model !== undefined &&
      sql`(x.model_asked = ${filters.model} or x.model_served = ${filters.model})`,
    filters.provider !== undefined && sql`x.provider = ${filters.provider}`,
    filters.key_id !== undefined && sql`x.key_id = ${filters.key_id}`,
    status !== undefined && sql`x.status >= ${status} and x.status < ${statusBelow ?? 0}`,
    filters.outcome !== undefined && sql`x.outcome = ${filters.outcome}`,
    filters.tag !== undefined && sql`x.tags @> ${filters.tag}::text[]`,
    filters.min_cost_micros !== undefined && sql`x.cost_micros >= ${filters.min_cost_micros}`,
    filters.max_cost_micros !== undefined && sql`x.cost_micros <= ${filters.max_cost_micros}`,
    filters.min_latency_ms !== undefined &&
      sql`${latency} >= ${filters.min_latency_ms}::bigint * interval '1 millisecond'`,
    filters.max_latency_ms !== undefined &&
      sql`${latency} <= ${filters.max_latency_ms}::bigint * interval '1 millisecond'`,
    filters.conversation !== undefined && sql`x.conversation_id = ${filters.conversation}`,
    filters.route !== undefined && sql`x.route = ${filters.route}`,
    filters.dialect !== undefined && sql`x.dialect = ${filters.dialect}`,
    filters.protocol !== undefined && sql`x.protocol = ${filters.protocol}`,
    filters.cache !== undefined && sql`x.cache = ${filters.cache}`,
    classConditions(sql, filters, { from, before }),
    mcpConditions(sql, filters, { from, before }),
  ]
  return conjunction(sql, all)
}

export function conjunction(
  sql: postgres.Sql,
  conditions: readonly (postgres.Fragment | false)[],
): postgres.Fragment {
  return conditions
    .filter((condition) => condition !== false)
    .reduce<postgres.Fragment>((all, one) => sql`${all} and ${one}`, sql`true`)
}

/** The statuses of `404` or `4xx`: from the first, below the second. */
export function statusRange(status: string | undefined): [number, number] | [] {
  if (status === undefined) return []
  const first = Number(status.replace('xx', '00'))
  return [first, status.endsWith('xx') ? first + 100 : first + 1]
}
