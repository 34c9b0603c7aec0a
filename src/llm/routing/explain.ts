import { SluiceError } from '#lib/errors'
import type { Providers } from '../providers/provider.ts'
import type { BreakerView } from './breaker.ts'
import type { Fact, Facts } from './facts.ts'
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
  /** What the rule asked of the call's content, and who said so: the client's header, or local rules. */
  facts: Readonly<Record<string, Fact>>
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
    return { route: made?.route ?? null, model, candidates, facts: made?.facts ?? {}, refusal: null }
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    const { status, code, message: detail } = error
    return { route: null, model, candidates: [], facts: {}, refusal: { status, code, detail } }
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
      mismatch === null
        ? matched(rule, shape)
        : `${found(mismatch, { rule, shape })}: ${wanted(mismatch, rule)}`
    views.push({ route: rule.name, position: rule.position, matches: mismatch === null, because })
    if (mismatch === null) break
  }
  return views
}

function matched({ spec }: Route, { facts }: CallShape): string {
  const { sensitivity, classes = {}, ...match } = spec.match
  const guards = spec.policy !== undefined
  const conditions = [
    ...Object.entries(match).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${JSON.stringify(value)}`],
    ),
    ...(sensitivity === undefined ? [] : [factText('sensitivity', facts)]),
    ...Object.keys(classes).map((name) => factText(name, facts, guards)),
  ]
  return conditions.length === 0 ? 'it has no conditions' : conditions.join(' and ')
}

function found(mismatch: Mismatch, { rule, shape }: { rule: Rule; shape: CallShape }): string {
  if (mismatch === 'sensitivity') return factText('sensitivity', shape.facts)
  if (mismatch === 'classification') {
    const names = Object.keys(rule.spec.match.classes ?? {})
    const guards = rule.spec.policy !== undefined
    return `classification ${names.map((name) => factText(name, shape.facts, guards)).join(', ')}`
  }
  const facts: Record<Exclude<Mismatch, 'classification' | 'sensitivity'>, unknown> = {
    dialect: shape.dialect,
    tenant: shape.tenant,
    key: shape.keyId,
    tag: shape.tags,
    header: 'as sent',
    size: shape.bytes,
    model: shape.model,
  }
  return `${mismatch} is ${JSON.stringify(facts[mismatch])}`
}

const sources: Record<NonNullable<Fact['by']>, string> = {
  header: "by the client's header",
  rules: 'by the local rules',
  both: "by the client's header and the local rules",
}

function factText(name: string, facts: Facts, guards = false): string {
  const { values, by } = facts(name, guards) ?? { values: [], by: null }
  return by === null
    ? `${name} is not known`
    : `${name} is ${JSON.stringify(values.join(', '))} ${sources[by]}`
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
