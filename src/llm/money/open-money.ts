import type { Sql } from 'postgres'
import type { Usage } from '#capture'
import { errorText, type SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Account, Held, Reserved } from './account.ts'
import { overdueAlerts } from './alerts.ts'
import { type Budget, type Matcher, matcher } from './budget.ts'
import { type BodyShape, estimate, inputTokensOf, isBilled, shapeOf } from './estimate.ts'
import { type Ledger, openLedger } from './ledger.ts'
import { openLimiter } from './limiter.ts'
import { type Admission, type AdmitCall, type Candidate, type Money, unlimited } from './money.ts'
import type { PriceBook } from './price-book.ts'
import { reconcile } from './reconcile.ts'
import { exhausted, needsHttp, priceUnknown, unavailable } from './refusals.ts'
import { openSettings } from './settings.ts'
import { type Dearest, settlement } from './settlement.ts'

export type MoneyOptions = {
  sql: Sql
  log: Logger
  /** Where rules are kept for a start without the database. */
  snapshotFile: string
  /** Told of the ids of alerts that came due: they are to be sent. */
  onAlerts?: (ids: string[]) => void
  /** Of this process. @default a new one */
  gateway?: string
  /** @default 15_000 */
  leaseMs?: number
  /** How often the record's word on spend is taken, and overdue alerts are looked for. @default 30_000 */
  upkeepMs?: number
}

export type OpenMoney = Money & {
  /** Prices in force. */
  book(): PriceBook
  /** Resolves when what was committed before is in force here. */
  refresh(): Promise<void>
}

/** The purse of a gateway: rules in memory, counts and leases in step with Postgres. */
export async function openMoney(options: MoneyOptions): Promise<OpenMoney> {
  const {
    sql,
    log,
    snapshotFile,
    onAlerts = () => {},
    gateway = crypto.randomUUID(),
    leaseMs,
    upkeepMs = 30_000,
  } = options
  let rules: Matcher = () => null
  const ledger: Ledger = openLedger({
    ...{ sql, log, gateway, onCrossed: onAlerts },
    ...(leaseMs === undefined ? {} : { leaseMs }),
  })
  const limiter = openLimiter({ sql, log })
  const settings = await openSettings({
    ...{ sql, log, snapshotFile },
    onChange({ budgets, limits }) {
      rules = matcher({ budgets, limits })
    },
  })

  const upkeepTimer = setInterval(() => void keepUp(), upkeepMs)
  upkeepTimer.unref()

  return {
    count,
    reserve,
    admitSocket({ tenant, keyId, candidates }) {
      const about = rules({ tenant, keyId, route: null })
      if ((about?.limits.length ?? 0) > 0) throw needsHttp('limit')
      const book = settings.book()
      if (candidates.every((one) => isFree(one, book))) return
      if (settings.current() !== null && (about?.budgets.length ?? 0) === 0) return
      throw needsHttp('budget')
    },
    book: settings.book,
    refresh: settings.refresh,
    async close() {
      clearInterval(upkeepTimer)
      await settings.close()
      await limiter.close()
      await ledger.close()
    },
  }

  /** Best effort: the next time does what this one could not. */
  async function keepUp(): Promise<void> {
    try {
      await reconcile(sql)
      const overdue = await overdueAlerts(sql)
      if (overdue.length > 0) onAlerts(overdue)
    } catch (error) {
      log.debug({ reason: errorText(error) }, 'money: upkeep failed')
    }
  }

  /** Where nobody knows yet what is limited, budgets have the word. */
  function count(call: AdmitCall): Admission {
    const limits = rules(call)?.limits ?? []
    if (limits.length === 0) return unlimited
    const { counts = 'both', at } = call
    const ownTokens =
      counts !== 'requests' &&
      limits.some(({ tokens }) => tokens !== null) &&
      isBilled(call.method, call.path)
    const guess = ownTokens ? inputTokensOf(call) : 0
    const { headers, add } = limiter.count(limits, {
      requests: counts === 'tokens' ? 0 : 1,
      tokens: guess,
      at,
    })
    return counted({ headers, add, guess, ownTokens })
  }

  function reserve(call: AdmitCall): Admission | Promise<Admission> {
    if (settings.current() === null) return withoutRules(call)
    const budgets = rules(call)?.budgets ?? []
    if (budgets.length === 0 || !isBilled(call.method, call.path)) return unlimited
    const shape = shapeOf(call)
    const dearest = dearestOf(budgets, call, shape)
    if (dearest === null) return unlimited
    return reserveAll({ budgets, call, dearest })
  }

  /** Nobody knows yet what is limited: only what costs nothing may pass. */
  function withoutRules(call: AdmitCall): Admission {
    if (!isBilled(call.method, call.path) || call.candidates.every((one) => one.local)) return unlimited
    throw unavailable(null)
  }

  /** What to reserve; null where nothing can cost anything. @throws SluiceError 402 `price-unknown` */
  function dearestOf(budgets: readonly Budget[], call: AdmitCall, shape: BodyShape): Dearest | null {
    const book = settings.book()
    let found: Dearest | null = null
    for (const candidate of call.candidates) {
      if (isFree(candidate, book)) continue
      const { micros, usage } = estimate(candidate, { shape, at: call.at, book })
      const strict = micros === null ? budgets.find((one) => one.unknown_price === 'refuse') : undefined
      if (strict !== undefined) throw priceUnknown(strict, candidate)
      if (found === null || (micros ?? 0) > found.micros) found = { candidate, usage, micros: micros ?? 0 }
    }
    return found
  }

  function reserveAll(asked: {
    budgets: readonly Budget[]
    call: AdmitCall
    dearest: Dearest
  }): Admission | Promise<Admission> {
    const { budgets, call, dearest } = asked
    const accounts: Held[] = []
    for (const [index, budget] of budgets.entries()) {
      const account = ledger.account(budget, call.at)
      const answer = ledger.reserve(account, dearest.micros)
      if (typeof answer !== 'string')
        return reserveRest(asked, { accounts, account, answer, next: index + 1 })
      const refused = take(answer, account, accounts, dearest.micros)
      if (refused !== null) return refuse(refused, call, accounts)
    }
    return admission(accounts, dearest)
  }

  async function reserveRest(
    asked: Parameters<typeof reserveAll>[0],
    so: { accounts: Held[]; account: Account; answer: Promise<Reserved>; next: number },
  ): Promise<Admission> {
    const { budgets, call, dearest } = asked
    const { accounts } = so
    let refused = take(await so.answer, so.account, accounts, dearest.micros)
    for (const budget of budgets.slice(so.next)) {
      if (refused !== null) break
      const account = ledger.account(budget, call.at)
      refused = take(await ledger.reserve(account, dearest.micros), account, accounts, dearest.micros)
    }
    return refused === null ? admission(accounts, dearest) : refuse(refused, call, accounts)
  }

  /** Undoes what was reserved. Where some candidates cost nothing, the call may go to those. */
  function refuse(refused: SluiceError, { candidates }: AdmitCall, accounts: Held[]): Admission {
    for (const { account, reserved } of accounts) account.settle(reserved, 0)
    const book = settings.book()
    if (!candidates.some((one) => isFree(one, book))) throw refused
    return { ...unlimited, freeOnly: true }
  }

  function admission(accounts: Held[], dearest: Dearest): Admission {
    const settle = settlement({ accounts, book: settings.book })
    return { ...unlimited, metered: true, settle: (actual) => settle(actual, dearest) }
  }
}

/** An admission that corrects the guess of its tokens at the end, once. */
function counted(of: {
  headers: Record<string, string>
  add: (tokens: number) => void
  guess: number
  ownTokens: boolean
}): Admission {
  let settled = false
  return {
    ...{ headers: of.headers, metered: of.ownTokens, freeOnly: false },
    settle({ usage }) {
      if (!settled && of.ownTokens && usage !== null) of.add(tokensOf(usage) - of.guess)
      settled = true
      return null
    },
  }
}

function tokensOf({ input, output, cache_read, cache_write }: Usage): number {
  return (input ?? 0) + (output ?? 0) + (cache_read ?? 0) + (cache_write ?? 0)
}

/** Null where it holds; what it is refused with otherwise. */
function take(answer: Reserved, account: Account, accounts: Held[], micros: number): SluiceError | null {
  if (answer === 'exhausted') return exhausted(account, micros)
  if (answer === 'unavailable' && account.terms.on_outage === 'closed') return unavailable(account.terms)
  accounts.push({ account, reserved: answer === 'yes' ? micros : 0 })
  return null
}

function isFree(candidate: Candidate, book: PriceBook): boolean {
  return candidate.local && !book.overrides(candidate.provider, candidate.model)
}
