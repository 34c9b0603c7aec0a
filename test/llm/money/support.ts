import { pino } from 'pino'
import type { Sql } from 'postgres'
import type { Outcome, Usage } from '#capture'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Actual, Admission, AdmitCall } from '../../../src/llm/money/money.ts'
import { type MoneyOptions, type OpenMoney, openMoney } from '../../../src/llm/money/open-money.ts'
import { temporaryFolder } from '../../support/folder.ts'

export const quiet = pino({ level: 'silent' })

export async function testMoney(sql: Sql, options: Partial<MoneyOptions> = {}): Promise<OpenMoney> {
  return await openMoney({ sql, log: quiet, snapshotFile: `${temporaryFolder()}/money.json`, ...options })
}

export type BudgetRow = {
  scope?: 'key' | 'tenant' | 'route' | 'global'
  subject?: string | null
  period?: 'day' | 'month' | 'total'
  limit_micros: number
  on_outage?: 'closed' | 'open'
  unknown_price?: 'refuse' | 'allow'
  thresholds?: number[]
  webhook_url?: string
}

/** A budget straight in the database. */
export async function plantBudget(sql: Sql, row: BudgetRow): Promise<string> {
  const id = newId()
  const { scope = 'tenant', subject = 'acme' } = row
  await sql`insert into budgets ${sql({
    ...{ id, name: 'test', period: 'day', tenant: 'acme', thresholds: [] as number[] },
    ...row,
    scope,
    subject: scope === 'global' ? null : subject,
  })}`
  return id
}

/** `penny/one`: an output token costs 1,000 micro-units, input nothing. */
export async function plantPrice(sql: Sql): Promise<void> {
  await sql`insert into price_overrides (id, provider, model, input, output)
    values (${newId()}, 'penny', 'one', 0, 1000000000)`
}

/** A call that may cost `output` thousandths. */
export function callOf(output: number, changes: Partial<AdmitCall> = {}): AdmitCall {
  const body = Buffer.from(JSON.stringify({ model: 'one', max_tokens: output }))
  return {
    ...{
      at: Date.now(),
      tenant: 'acme',
      keyId: null,
      route: null,
      method: 'POST',
      path: '/v1/chat/completions',
    },
    candidates: [{ provider: 'penny', model: 'one', dialect: 'openai-chat', local: false }],
    ...{ body, bodyBytes: body.byteLength, packed: false },
    ...changes,
  }
}

export function usageOf(output: number, changes: Partial<Usage> = {}): Usage {
  return {
    ...{ input: 10, output, cache_read: null, cache_write: null, cache_write_1h: null, reasoning: null },
    final: true,
    ...changes,
  }
}

/** What it cost in the end, in thousandths. */
export function actualOf(output: number | null, outcome: Outcome = 'completed', bytes = 100): Actual {
  const usage = output === null ? null : usageOf(output)
  const costMicros = output === null ? null : output * 1_000
  return { costMicros, usage, outcome, responseBytes: bytes, streamed: false }
}

/** The admission, or the code of the refusal. */
export async function tried(money: OpenMoney, call: AdmitCall): Promise<Admission | string> {
  try {
    const counted = money.count(call)
    const reserved = await money.reserve(call)
    return {
      ...reserved,
      headers: counted.headers,
      metered: counted.metered || reserved.metered,
      settle(actual) {
        counted.settle(actual)
        return reserved.settle(actual)
      },
    }
  } catch (error) {
    if (error instanceof SluiceError) return error.code
    throw error
  }
}

export async function standing(sql: Sql, budget: string) {
  const [row] = await sql<{ spent: number; held: number }[]>`
    select greatest(p.settled_micros, p.recorded_micros) - p.forgiven_micros as spent,
      coalesce((select sum(held_micros) from budget_leases l
        where l.budget_id = p.budget_id and l.starts_at = p.starts_at and expires_at > now()), 0)::bigint as held
    from budget_periods p where budget_id = ${budget}`
  return row ?? { spent: 0, held: 0 }
}
