import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { follow, patiently } from '#store'
import type { List } from '../price.ts'
import { ruleScopes } from './budget.ts'
import { type PriceBook, priceBook } from './price-book.ts'
import { newestList } from './price-list.ts'

const micros = z.int().nonnegative()
const rule = { id: z.uuid(), name: z.string(), scope: z.enum(ruleScopes), subject: z.string().nullable() }

const settings = z.object({
  budgets: z.array(
    z.object({
      ...rule,
      period: z.enum(['day', 'month', 'total']),
      limit_micros: micros,
      on_outage: z.enum(['closed', 'open']),
      unknown_price: z.enum(['refuse', 'allow']),
    }),
  ),
  limits: z.array(
    z.object({
      ...rule,
      window_seconds: z.int().positive(),
      requests: micros.nullable(),
      tokens: micros.nullable(),
    }),
  ),
  overrides: z.array(
    z.object({
      id: z.uuid(),
      provider: z.string(),
      model: z.string().nullable(),
      input: micros,
      output: micros,
      cache_read: micros.nullable(),
      cache_write: micros.nullable(),
      cache_write_1h: micros.nullable(),
    }),
  ),
})
export type Settings = z.infer<typeof settings>

export type MoneySettings = {
  /** Null until they could be read anywhere. */
  current(): Settings | null
  book(): PriceBook
  refresh(): Promise<void>
  close(): Promise<void>
}

export type SettingsOptions = {
  sql: Sql
  log: Logger
  /** Where rules are kept for a start without the database; none: not kept. */
  snapshotFile?: string
  onChange?: (settings: Settings) => void
  /** How long a start waits for the database. @default 3000 */
  patienceMs?: number
  /** @default 1000 */
  checkMs?: number
}

/** Budgets, limits and prices, in force within a second of their change, on gateways and workers alike. */
export async function openSettings(options: SettingsOptions): Promise<MoneySettings> {
  const { sql, log, snapshotFile, onChange = () => {}, patienceMs = 3_000, checkMs } = options
  let current = snapshotFile === undefined ? null : await readSnapshot(snapshotFile, log)
  let list: (List & { sha256: string }) | undefined
  let book = priceBook(current?.overrides)
  if (current !== null) onChange(current)
  let revision = -1
  const follower = follow({
    ...{ sql, log, channel: 'sluice_money', what: 'money', update },
    ...(checkMs === undefined ? {} : { checkMs }),
  })
  await Promise.race([follower.refresh().catch(() => {}), Bun.sleep(patienceMs)])

  return { current: () => current, book: () => book, refresh: follower.refresh, close: follower.stop }

  async function update(fresh: boolean): Promise<void> {
    const doing = 'load the settings of money'
    const [row] = await patiently(sql<{ revision: number }[]>`select revision from money_revision`, { doing })
    const found = row?.revision ?? 0
    if (found === revision && !fresh) return
    await patiently(load(), { doing })
    revision = found
  }

  async function load(): Promise<void> {
    current = await readSettings(sql)
    list = await newestList(sql, list)
    book = priceBook(current.overrides, list)
    onChange(current)
    if (snapshotFile !== undefined) await writeSnapshot(snapshotFile, current, log)
  }
}

async function readSettings(sql: Sql): Promise<Settings> {
  return await sql.begin('isolation level repeatable read read only', async (tx) => ({
    budgets: await tx<Settings['budgets']>`
      select id, name, scope, subject, period, limit_micros, on_outage, unknown_price from budgets where enabled`,
    limits: await tx<Settings['limits']>`
      select id, name, scope, subject, window_seconds, requests, tokens from rate_limits where enabled`,
    overrides: await tx<Settings['overrides']>`
      select id, provider, model, input, output, cache_read, cache_write, cache_write_1h from price_overrides`,
  }))
}

async function readSnapshot(path: string, log: Logger): Promise<Settings | null> {
  try {
    return settings.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!missing) log.warn({ path, reason: errorText(error, 300) }, 'money snapshot not readable, ignored')
    return null
  }
}

/** Whole or not at all: gateways may share a data directory. */
async function writeSnapshot(path: string, value: Settings, log: Logger): Promise<void> {
  const part = `${path}.${randomUUID()}.part`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(part, JSON.stringify(value), { mode: 0o600 })
    await rename(part, path)
  } catch (error) {
    log.warn({ path, reason: errorText(error) }, 'money snapshot not written')
    await rm(part, { force: true }).catch(() => {})
  }
}
