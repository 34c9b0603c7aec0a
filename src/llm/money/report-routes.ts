import { Elysia } from 'elysia'
import { z } from 'zod'
import { isoTime } from '#lib/clock'
import { InputError } from '#lib/errors'
import { dateTime, word } from '#lib/fields'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { classes, dimensions, isClass, type ReportFilter, report } from './report.ts'
import { costs, named, tokens } from './report-view.ts'
import type { MoneyRoutesOptions } from './routes-options.ts'
import { reachOf, tag } from './shapes.ts'

const filters = {
  since: dateTime
    .optional()
    .meta({ description: 'ISO 8601; down to the hour, UTC. Default: 30 days before `until`' }),
  until: dateTime.optional().meta({ description: 'ISO 8601; up to the hour. Default: now' }),
  tenant: word.optional().meta({ description: 'Another than its own only an admin may name' }),
  provider: word.optional(),
  model: word.optional(),
  key_id: word.optional(),
  route: word.optional(),
  tag: word.optional(),
}

const all = [...Object.keys(dimensions), ...classes]

const costQuery = z.strictObject({
  ...filters,
  by: word
    .default('model')
    .transform((text) => [...new Set(text.split(',').map((one) => one.trim()))])
    .refine(
      (by) => by.length <= 3 && by.every((one) => all.includes(one)),
      `must be one to three of ${all.join(', ')}`,
    )
    .meta({ description: `One to three of ${all.join(', ')}, with commas between` }),
})

const statsQuery = z.strictObject(filters)

const sums = {
  calls: z.int(),
  input_tokens: z.int(),
  output_tokens: z.int(),
  cache_read_tokens: z.int(),
  cache_write_tokens: z.int(),
  reasoning_tokens: z.int().meta({ description: 'Part of the output' }),
  total_tokens: z.int(),
}
const range = { since: z.iso.datetime(), until: z.iso.datetime() }

const statsView = z.object({
  ...range,
  items: z.array(z.object({ model: z.string().nullable(), provider: z.string().nullable(), ...sums })),
  next_cursor: z.null(),
  total: z.object(sums),
})

const money = {
  ...sums,
  cost: z.string().meta({ description: 'Decimal' }),
  currency: z.literal('USD'),
  unpriced_calls: z.int().meta({ description: 'With tokens, and without a price for them' }),
}
const costView = z.object({
  ...range,
  by: z.array(z.string()),
  items: z.array(z.looseObject(money)),
  next_cursor: z.null(),
  total: z.object(money),
})

/**
 * What was used and what it cost, from the sums that are kept with the record: a report over a year reads a few
 * thousand rows. Classes are known of exchanges only, so a report by class reads these, 31 days at most.
 */
export function reportRoutes({ reading, authorise }: MoneyRoutesOptions) {
  return new Elysia()
    .get(
      '/api/token-stats',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const filter = filterOf(principal, readQuery(request, statsQuery))
        const { rows, total } = await reading.read((sql) => report(sql, ['model', 'provider'], filter))
        const items = rows.map(({ model = null, provider = null, ...row }) => ({
          model,
          provider,
          ...tokens(row),
        }))
        return Response.json({ ...shown(filter), items, next_cursor: null, total: tokens(total) })
      },
      routeDoc({ summary: 'Tokens by model', scope: 'read', tag, query: statsQuery, answer: statsView }),
    )
    .get(
      '/api/cost-report',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const { by, ...rest } = readQuery(request, costQuery)
        const filter = filterOf(principal, rest)
        if (by.some(isClass) && filter.until - filter.since > 32 * 86_400_000) {
          throw new InputError(400, 'bad-query', [
            {
              pointer: '?since',
              detail:
                'a report by class reads every exchange of its time, and covers 31 days at most: ask for each month, or leave the class out',
            },
          ])
        }
        const { rows, total } = await reading.read((sql) => report(sql, by, filter))
        const items = rows.map((row) => ({ ...named(row, by), ...costs(row) }))
        return Response.json({ ...shown(filter), by, items, next_cursor: null, total: costs(total) })
      },
      routeDoc({
        summary: 'Cost by model, provider, key, tenant, route, tag, day, hour or class; the dearest first',
        description:
          'An exchange with two tags counts under each; the total counts it once. Sums older than 40 days are kept by the day. At most 1,000 items. By class (task_type, complexity, language, domain, sensitivity) a report reads the exchanges themselves, as they are classified now: no sums are kept, since classes come after the calls, and a backfill may change them at any time. So 31 days at most, and none past retention; for a year ask month by month, within retention.',
        ...{ scope: 'read', tag, query: costQuery, answer: costView },
      }),
    )
}

type Query = z.output<typeof statsQuery>

const hour = 3_600_000

function filterOf(principal: Parameters<typeof reachOf>[0], query: Query): ReportFilter {
  const until = Math.ceil((query.until ?? Date.now()) / hour) * hour
  const since = Math.floor((query.since ?? until - 30 * 24 * hour) / hour) * hour
  if (since >= until)
    throw new InputError(400, 'bad-query', [{ pointer: '?since', detail: 'must be before until' }])
  return { ...query, since, until, tenant: reachOf(principal, query.tenant) }
}

function shown({ since, until }: ReportFilter) {
  return { since: isoTime(since), until: isoTime(until) }
}
