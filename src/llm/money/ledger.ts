import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import { patiently } from '#store'
import { Account, type Reserved } from './account.ts'
import type { Budget } from './budget.ts'
import { type Ask, askLedger } from './ledger-query.ts'
import { periodStart } from './period.ts'

/** The accounts of this gateway, kept in step with the database. */
export type Ledger = {
  account(budget: Budget, at: number): Account
  /** In memory where the lease has enough; else the database is asked. */
  reserve(account: Account, micros: number): Reserved | Promise<Reserved>
  /** Tells what is settled, gives all leases back, as far as the database answers within a second. */
  close(): Promise<void>
}

export type LedgerOptions = {
  sql: Sql
  log: Logger
  /** Of this process: a restarted gateway is another one. */
  gateway: string
  /** Told of alerts that came due: their ids. */
  onCrossed: (alerts: string[]) => void
  /** How long a lease lasts without a sign of life. @default 15_000 */
  leaseMs?: number
  /** @default 250 */
  tickMs?: number
  /** @default 2000 */
  patienceMs?: number
}

/** A gateway that had no call for so long gives back what it leased ahead. */
const idleMs = 1_000
/** Where other gateways hold what is missing, they are asked to give back what they do not use. */
const recallChannel = 'sluice_budget_recall'
const recalls = 3
const recallWaitMs = 40
/** After a failure, so long nobody waits for another. */
const downMs = 1_000
const mostAtOnce = 100

export function openLedger(options: LedgerOptions): Ledger {
  const { sql, log, gateway, onCrossed, leaseMs = 15_000, tickMs = 250, patienceMs = 2_000 } = options
  const accounts = new Map<string, Account>()
  let state: 'up' | 'down' | 'closed' = 'up'
  let downSince = 0
  let said = 0
  let telling: Promise<void> | null = null
  const timer = setInterval(tick, tickMs)
  timer.unref()

  const listening = sql.listen(recallChannel, recall)
  listening.catch(() => {}) // it tries again by itself, and a lease left idle is given back soon anyway

  return { account, reserve, close }

  function account(budget: Budget, at: number): Account {
    const startsAt = periodStart(budget.period, at)
    const key = `${budget.id} ${startsAt}`
    let found = accounts.get(key)
    if (found === undefined) {
      found = new Account(budget, startsAt)
      accounts.set(key, found)
    }
    found.terms = budget
    return found
  }

  function reserve(held: Account, micros: number): Reserved | Promise<Reserved> {
    if (held.take(micros)) return 'yes'
    if (held.isShortOf(micros)) return 'exhausted'
    if (state === 'down' && performance.now() - downSince < downMs) return 'unavailable'
    held.activeAt = performance.now()
    const { promise, resolve } = Promise.withResolvers<Reserved>()
    held.waiting.push({ micros, tries: 0, resolve })
    if (held.state === 'idle') void serve(held)
    return promise
  }

  /** Asks on behalf of those that wait, first come, first served, until nobody does. */
  async function serve(held: Account): Promise<void> {
    held.state = 'asking'
    for (let head = held.waiting[0]; head !== undefined; head = held.waiting[0]) {
      if (held.isShortOf(head.micros) && head.micros > held.spare) {
        held.waiting.shift()
        head.resolve('exhausted')
        continue
      }
      try {
        const pending = held.waiting.reduce((sum, { micros }) => sum + micros, 0) - held.spare
        const need = Math.max(0, head.micros - held.spare)
        const extra = Math.max(head.micros * 16, held.recent * 4)
        await tell([{ held, need, pending: Math.max(need, pending), extra }])
        if (serveWaiting(held)) continue
        if (held.standing.elsewhere > 0 && head.tries < recalls) {
          head.tries += 1
          // Two that each hold a part of what one of them needs would wait for each other.
          held.available = Math.min(0, held.available)
          await sql`select pg_notify(${recallChannel}, ${held.budget})`
          await Bun.sleep(recallWaitMs)
        } else {
          held.refused = { micros: head.micros, at: performance.now() }
        }
      } catch (error) {
        lost(error)
        for (const waiter of held.waiting.splice(0)) waiter.resolve('unavailable')
      }
    }
    held.state = 'idle'
  }

  function serveWaiting(held: Account): boolean {
    let served = false
    for (let head = held.waiting[0]; head !== undefined; head = held.waiting[0]) {
      if (held.available < head.micros) break
      held.waiting.shift()
      held.hold(head.micros)
      head.resolve('yes')
      served = true
    }
    return served
  }

  /** @throws what the database throws, or that it is too slow; nothing is taken from its answer then */
  async function tell(
    asks: { held: Account; need: number; pending: number; extra: number }[],
  ): Promise<void> {
    const sentAt = performance.now()
    const sent = asks.map(({ held, ...wants }): Ask & { debt: number } => {
      if (sentAt > held.validUntil && held.available > 0) held.available = 0
      const { budget, startsAt, settled, reserved, spare, available } = held
      return { ...wants, budget, startsAt, settled, keep: reserved + spare, debt: spare - available }
    })
    said += 1
    const answers = await patiently(askLedger(sql, sent, { gateway, leaseMs, saying: said }), {
      ...{ doing: 'ask for the state of budgets', ms: patienceMs },
    })
    if (state === 'down') log.info('budgets: the database is back')
    if (state === 'down') state = 'up'
    const crossed: string[] = []
    for (const [index, { held }] of asks.entries()) {
      const ask = sent[index]
      const answer = answers.get(`${held.budget} ${held.startsAt}`)
      // The budget is no more: whoever asks for it is a call that began before.
      if (answer === undefined || ask === undefined) {
        forget(held)
        continue
      }
      held.told = Math.max(held.told, ask.settled)
      held.available += answer.granted + ask.debt
      held.validUntil = sentAt + leaseMs * 0.8
      held.standing = answer
      crossed.push(...answer.crossed)
    }
    if (crossed.length > 0) onCrossed(crossed)
  }

  function forget(held: Account): void {
    accounts.delete(`${held.budget} ${held.startsAt}`)
    for (const waiter of held.waiting.splice(0)) {
      held.hold(waiter.micros)
      waiter.resolve('yes')
    }
  }

  function tick(): void {
    if (telling !== null || state === 'closed') return
    const time = performance.now()
    const due: Parameters<typeof tell>[0] = []
    for (const [key, held] of accounts) {
      if (held.state === 'asking' || due.length === mostAtOnce) continue
      const idle = time - held.activeAt > idleMs
      const surplus = idle && held.available > 0
      if (surplus) held.available = 0
      const target = held.recent * 2
      held.recent /= 2
      if (surplus || held.needsTelling(time, leaseMs / 2)) {
        due.push({
          held,
          need: 0,
          pending: 0,
          extra: idle ? 0 : Math.max(0, Math.round(target) - held.available),
        })
      } else if (idle && isOver(held)) accounts.delete(key)
    }
    if (due.length === 0) return
    telling = tellQuietly(due).finally(() => {
      telling = null
    })
  }

  async function tellQuietly(due: Parameters<typeof tell>[0]): Promise<void> {
    for (const { held } of due) held.state = 'asking'
    try {
      await tell(due)
    } catch (error) {
      lost(error)
    } finally {
      for (const { held } of due) {
        held.state = 'idle'
        if (held.waiting.length > 0) void serve(held)
      }
    }
  }

  /** Another gateway lacks what may lie idle here. */
  function recall(budget: string): void {
    for (const held of accounts.values()) {
      if (held.budget !== budget || held.state === 'asking' || held.available <= 0) continue
      held.available = 0
      void tellQuietly([{ held, need: 0, pending: 0, extra: 0 }])
    }
  }

  function lost(error: unknown): void {
    downSince = performance.now()
    if (state === 'up') {
      log.warn({ reason: errorText(error) }, 'budgets: the database does not answer, leases are all there is')
      state = 'down'
    }
  }

  async function close(): Promise<void> {
    state = 'closed'
    clearInterval(timer)
    const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
    await session?.unlisten().catch(() => {})
    await telling
    const all = [...accounts.values()].filter((held) => held.validUntil > 0 || held.settled > held.told)
    for (const held of all) held.available = Math.min(0, held.available)
    if (all.length === 0) return
    const last = tell(all.map((held) => ({ held, need: 0, pending: 0, extra: 0 })))
    await Promise.race([last.catch(lost), Bun.sleep(1_000)])
  }
}

function isOver(held: Account): boolean {
  return held.reserved === 0 && held.waiting.length === 0 && held.settled === held.told
}
