import { SluiceError } from '#lib/errors'
import type { Providers } from '../providers/provider.ts'
import type { BreakerView } from './breaker.ts'
import type { Health } from './health.ts'
import type { Candidate, Plan } from './plan.ts'
import type { Route } from './route.ts'
import type { CallShape, Mismatch, Rule } from './rule.ts'

/** What would be done with a call, and why. */
export type Explanation = {
  /** Null: no rule matches, and it goes where its path says. */
  route: string | null
  model: string | null
  candidates: CandidateView[]
  /** What it would be refused with. */
  refusal: { status: number; code: string; detail: string } | null
}

export type CandidateView = {
  provider: string
  model: string | null
  weight: number
  priority: number
  retries: number
  breaker: BreakerView['state']
  busy: number
  /** The dialect that it would be translated to; null: it goes as it is. */
  translated_to: string | null
  /** Why it could not be asked; null where it could. */
  problem: string | null
}

/** How a rule fared. */
export type RuleView = { route: string; position: number; matches: boolean; because: string }

export function explain(
  plan: () => Plan | null,
  {
    dialect,
    model,
    providers,
    health,
  }: { dialect: string | null; model: string | null; providers: Providers; health: Health },
): Explanation {
  try {
    const made = plan()
    const candidates = (made?.candidates ?? []).map((one) => view(one))
    return { route: made?.route ?? null, model, candidates, refusal: null }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { status, code, message: detail } = error
    return { route: null, model, candidates: [], refusal: { status, code, detail } }
  }

  function view({ provider, model: own, weight, priority, retries }: Candidate): CandidateView {
    const place = { provider, model: own ?? model }
    const found = providers.find(provider)
    const as = found === null || dialect === null || found.speaks.includes(dialect) ? null : found.dialect
    return {
      ...place,
      ...{ weight, priority, retries, translated_to: as },
      breaker: stateOf(health, place),
      busy: health.busy(place),
      problem: problemOf(provider, providers) ?? health.closedTo(place)?.reason ?? null,
    }
  }
}

/** Each rule in its turn, up to the one that matches. */
export function explainRules(rules: readonly Rule[], shape: CallShape): RuleView[] {
  const views: RuleView[] = []
  for (const rule of rules) {
    const mismatch = rule.mismatch(shape)
    const because =
      mismatch === null ? matched(rule) : `${mismatch} ${found(mismatch, shape)}: ${wanted(mismatch, rule)}`
    views.push({ route: rule.name, position: rule.position, matches: mismatch === null, because })
    if (mismatch === null) break
  }
  return views
}

function matched({ spec }: Route): string {
  const conditions = Object.entries(spec.match).filter(([, value]) => value !== undefined)
  if (conditions.length === 0) return 'it has no conditions'
  return conditions.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(' and ')
}

function found(mismatch: Mismatch, shape: CallShape): string {
  const facts: Record<Mismatch, unknown> = {
    dialect: shape.dialect,
    tenant: shape.tenant,
    key: shape.keyId,
    tag: shape.tags,
    header: 'as sent',
    size: shape.bytes,
    model: shape.model,
    classification: shape.headers.get('sluice-class'),
    sensitivity: shape.headers.get('sluice-sensitivity'),
  }
  return `is ${JSON.stringify(facts[mismatch])}`
}

function wanted(mismatch: Mismatch, { spec: { match } }: Route): string {
  const conditions: Record<Mismatch, unknown> = {
    dialect: match.dialects,
    tenant: match.tenants,
    key: match.keys,
    tag: match.tags,
    header: match.headers,
    size: { min_bytes: match.min_bytes, max_bytes: match.max_bytes },
    model: match.models,
    classification: match.classes,
    sensitivity: match.sensitivity,
  }
  return `it wants ${JSON.stringify(conditions[mismatch])}`
}

function stateOf(
  health: Health,
  { provider, model }: { provider: string; model: string | null },
): BreakerView['state'] {
  const all = health
    .all()
    .filter((one) => one.provider === provider && (one.model === null || one.model === model))
  return all.find(({ state }) => state !== 'closed')?.state ?? 'closed'
}

function problemOf(name: string, providers: Providers): string | null {
  try {
    const provider = providers.get(name)
    return provider.keys.size === 0 && !provider.open ? 'the gateway has no key for it' : null
  } catch (error) {
    if (error instanceof SluiceError) return error.message
    throw error
  }
}
