import { z } from 'zod'
import { defineTool, type Principal, type Tool } from '#access'
import { isoTime } from '#lib/clock'
import { SluiceError } from '#lib/errors'
import { dateTime, word } from '#lib/fields'
import { listBudgets } from '../money/budget-queries.ts'
import { classes, dimensions, isClass, type ReportFilter, report } from '../money/report.ts'
import { costs, named, tokens } from '../money/report-view.ts'
import { reachOf } from '../money/shapes.ts'
import type { LlmToolsOptions } from '../tools.ts'

const filters = {
  since: dateTime.optional().meta({ description: 'ISO 8601. Default: 30 days before until' }),
  until: dateTime.optional().meta({ description: 'ISO 8601. Default: now' }),
  ...{ provider: word.optional(), model: word.optional(), key_id: word.optional(), tag: word.optional() },
}
const filterInput = z.strictObject(filters)
const by = [...Object.keys(dimensions), ...classes] as [string, ...string[]]
const costInput = z.strictObject({
  ...filters,
  by: z.array(z.enum(by)).min(1).max(3).default(['model']),
})

const reads = { scope: 'read', readOnly: true } as const
const hour = 3_600_000

/** What was used, what it cost, and what is left. */
export function moneyTools({ sql, reading }: Pick<LlmToolsOptions, 'sql' | 'reading'>): Tool[] {
  return [
    defineTool({
      name: 'get_token_stats',
      title: 'Token statistics',
      description: 'Calls and tokens by model and provider, down to the hour, UTC.',
      input: filterInput,
      ...reads,
      async run(asked, { principal }) {
        const filter = filterOf(principal, asked)
        const { rows, total } = await reading.read((db) => report(db, ['model', 'provider'], filter))
        const items = rows.map((row) => ({ ...named(row, ['model', 'provider']), ...tokens(row) }))
        return { ...shown(filter), items, total: tokens(total) }
      },
    }),
    defineTool({
      name: 'get_cost_report',
      title: 'Cost report',
      description: `Cost in USD by one to three of ${by.join(', ')}; the dearest first. By a class it covers 31 days at most.`,
      input: costInput,
      ...reads,
      async run({ by: given, ...asked }, { principal }) {
        const dimensionsAsked = [...new Set(given)]
        const filter = filterOf(principal, asked)
        if (dimensionsAsked.some(isClass) && filter.until - filter.since > 32 * 24 * hour)
          throw new SluiceError(422, 'bad-range', 'since: a report by class covers 31 days at most')
        const { rows, total } = await reading.read((db) => report(db, dimensionsAsked, filter))
        const items = rows.map((row) => ({ ...named(row, dimensionsAsked), ...costs(row) }))
        return { ...shown(filter), by: dimensionsAsked, items, total: costs(total) }
      },
    }),
    defineTool({
      name: 'list_budgets',
      title: 'List budgets',
      description: 'Budgets with what is spent, reserved and left in the running period, newest first.',
      input: z.strictObject({ limit: z.int().min(1).max(500).default(50) }),
      ...reads,
      async run({ limit }, { principal }) {
        const rows = await listBudgets(sql, { tenant: reachOf(principal, undefined), before: null, limit })
        return { items: rows.slice(0, limit), has_more: rows.length > limit }
      },
    }),
  ]
}

function filterOf(principal: Principal, asked: z.output<typeof filterInput>): ReportFilter {
  const until = Math.ceil((asked.until ?? Date.now()) / hour) * hour
  const since = Math.floor((asked.since ?? until - 30 * 24 * hour) / hour) * hour
  if (since >= until) throw new SluiceError(422, 'bad-range', 'since: must be before until')
  return { ...asked, since, until, tenant: reachOf(principal, undefined) }
}

function shown({ since, until }: ReportFilter) {
  return { since: isoTime(since), until: isoTime(until) }
}
