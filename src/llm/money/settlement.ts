import type { Usage } from '#capture'
import type { Held } from './account.ts'
import { answerBytesPerToken } from './estimate.ts'
import type { Actual, Candidate } from './money.ts'
import type { PriceBook } from './price-book.ts'

/** The candidate that a call was reserved for, and for how much. */
export type Dearest = { candidate: Candidate; usage: Usage; micros: number }

/** Who never got to a model owes nothing, and no vendor bills an error without a usage. */
const unbilledOutcomes = new Set(['rejected', 'upstream_unreachable', 'upstream_error'])

/** Settles the reservations of a call once, in memory: the ledger tells the database at its own pace. */
export function settlement({
  accounts,
  book,
}: {
  accounts: readonly Held[]
  book: () => PriceBook
}): (actual: Actual, dearest: Dearest | null) => number | null {
  let charged: number | null | undefined

  return (actual, dearest) => {
    if (charged !== undefined) return charged
    charged = accounts.length === 0 ? null : chargeOf(actual, dearest, book())
    for (const { account, reserved } of accounts) {
      if (reserved === 0) account.charge(charged ?? 0)
      else account.settle(reserved, charged ?? 0)
    }
    return charged
  }
}

/**
 * The cost; where the provider told no usage, or broke off before the last count, what was asked and what came by
 * their bytes, never more than was reserved: a client cannot make a call free by hanging up.
 */
function chargeOf(actual: Actual, dearest: Dearest | null, book: PriceBook): number {
  if (dearest === null) return actual.costMicros ?? 0
  const { candidate, usage, micros } = dearest
  const { provider, model } = candidate
  const priced = (of: Usage | null) => book.price({ provider, model, usage: of, at: Date.now() })?.micros
  // The model that served may have a name that the list does not know.
  const cost = actual.costMicros ?? priced(actual.usage) ?? 0
  if (actual.usage?.final) return cost
  if (actual.usage === null && unbilledOutcomes.has(actual.outcome)) return cost
  const bytes = actual.streamed ? answerBytesPerToken.streamed : answerBytesPerToken.whole
  const output = Math.min(usage.output ?? 0, Math.ceil(actual.responseBytes / bytes))
  const told = actual.usage
  const guess = told === null ? { ...usage, output } : { ...told, output: Math.max(told.output ?? 0, output) }
  return Math.max(cost, Math.min(micros, priced(guess) ?? 0))
}
