import type { TryLimits } from '#lib/upstream'
import type { Rung } from '../ladder/spec.ts'
import { splitModel } from '../orchestra/models.ts'
import type { Catalogue } from './catalogue.ts'
import type { Fact, Facts } from './facts.ts'
import type { Health } from './health.ts'
import { inOrder } from './order.ts'
import { underPolicy } from './policy.ts'
import { type CandidateSpec, type Route, type RouteSpec, routeSpec } from './route.ts'
import { type CallShape, type Rule, ruleOf } from './rule.ts'
import { unknownModel } from './unknown-model.ts'

/** Where a call may be sent, by what model. */
export type Candidate = {
  provider: string
  /** Null: the one asked for, whatever it is. */
  model: string | null
  weight: number
  priority: number
  /** Further tries of the same. */
  retries: number
  limits: TryLimits
}

export type Plan = {
  /** Null where it was made without a rule, for a replay. */
  route: string | null
  candidates: readonly Candidate[]
  spec: RouteSpec
  /** What was asked of the call's content. */
  facts: Readonly<Record<string, Fact>>
}

export type Planner = {
  /** Could a rule be about such a call, whatever its model? Without rules at all: 0.1 µs. */
  concerns(shape: CallShape): boolean
  /**
   * The first rule that matches, its candidates in the order of their turns. Null: none does.
   * @throws SluiceError 404 `unknown-model` where the rule says so, or nobody has the model; 403 `kept-local` where
   * its policy leaves nobody
   */
  plan(shape: CallShape): Plan | null
  rules(): readonly Rule[]
  /** Those of them whose policy holds for calls too that they do not send anywhere. */
  binding(): readonly Rule[]
  replace(routes: readonly Route[]): void
}

export function openPlanner({
  health,
  catalogue,
  isLocal,
  random = Math.random,
}: {
  health: Pick<Health, 'busy'>
  catalogue: Catalogue
  /** Is a provider on the operator's own machines? */
  isLocal: (provider: string) => boolean
  random?: () => number
}): Planner {
  let rules: readonly Rule[] = []
  let binding: readonly Rule[] = []
  const sameForAll = new WeakMap<Rule, readonly Candidate[]>()

  return {
    concerns(shape) {
      if (rules.length === 0 || shape.dialect === null) return false
      return rules.some((rule) => rule.mismatch(shape) === null)
    },
    plan(shape) {
      const rule = rules.find((one) => one.mismatch(shape) === null)
      return rule === undefined ? null : planOf(rule, shape)
    },
    rules: () => rules,
    binding: () => binding,
    replace(routes) {
      rules = routes.filter(({ enabled }) => enabled).map(ruleOf)
      binding = rules.filter(({ spec }) => spec.binding)
    },
  }

  function planOf(rule: Rule, shape: CallShape): Plan {
    const { name, spec } = rule
    const asked = shape.model ?? null
    if (spec.refuse !== undefined) throw unknownModel(asked, catalogue.names())
    const resolved = sameForAll.get(rule) ?? candidatesOf(rule, asked)
    if (resolved.length === 0) throw unknownModel(asked, catalogue.names())
    const busy =
      spec.balance === 'least_busy'
        ? ({ provider, model }: Candidate) => health.busy({ provider, model: model ?? asked })
        : null
    const ordered = inOrder(resolved, { busy, random })
    const { policy } = spec
    const facts = askedFacts(spec, shape.facts)
    if (policy === undefined) return { route: name, candidates: ordered, spec, facts }
    const candidates = underPolicy(ordered, { policy, sensitivity: shape.facts('sensitivity'), isLocal })
    return { route: name, candidates, spec, facts }
  }

  /** Remembered where they are the same for every model. */
  function candidatesOf(rule: Rule, asked: string | null): readonly Candidate[] {
    const { ladder, candidates } = rule.spec
    const specs = ladder === undefined ? candidates : ladder.rungs.map(rungCandidate)
    const found = specs.flatMap((one) => candidateOf(one, asked, catalogue) ?? [])
    if (specs.every(({ provider }) => provider !== 'auto')) sameForAll.set(rule, found)
    return found
  }
}

function askedFacts({ match, policy }: RouteSpec, facts: Facts): Record<string, Fact> {
  const names = Object.keys(match.classes ?? {})
  if (match.sensitivity !== undefined || policy !== undefined) names.push('sensitivity')
  const guards = policy !== undefined
  return Object.fromEntries(
    names.flatMap((name) => [[name, facts(name, guards) ?? { values: [], by: null }]]),
  )
}

/** For calls that no ladder is for, as counting tokens. */
function rungCandidate({ model: name, retries }: Rung, priority: number): CandidateSpec {
  return { ...splitModel(name), weight: 1, priority, retries, timeouts: {} }
}

/** A plan of one, as if a rule had said so. */
export function planFor(provider: string, model: string | null): Plan {
  const one = { provider, model, weight: 1, priority: 0, retries: 0, limits: {} }
  return { route: null, candidates: [one], spec: routeSpec.parse({ guests: true }), facts: {} }
}

/** Null where `auto` finds nobody who has the model. */
function candidateOf(spec: CandidateSpec, asked: string | null, catalogue: Catalogue): Candidate | null {
  const { weight, priority, retries, timeouts } = spec
  const limits: TryLimits = {
    headersMs: timeouts.headers_ms,
    firstByteMs: timeouts.first_byte_ms,
    idleMs: timeouts.idle_ms,
  }
  const rest = { weight, priority, retries, limits }
  if (spec.provider !== 'auto') return { provider: spec.provider, model: spec.model ?? null, ...rest }
  const model = spec.model ?? asked
  const found = model === null ? null : catalogue.find(model)
  return found === null ? null : { ...found, ...rest }
}
