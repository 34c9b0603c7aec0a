import type { ExchangeOpen } from '#capture'
import { SluiceError } from '#lib/errors'
import { isWebSocket } from '#lib/server-socket'
import type { Target } from '../target.ts'
import { saidFacts } from './facts.ts'
import { mayHave } from './policy.ts'
import type { Routing } from './routing.ts'
import type { CallShape, Rule } from './rule.ts'

/** Calls that no rule sends anywhere: those that name their provider, and those that no rule can read. */

/**
 * What binding rules are to be asked about such a call; null where none could keep it from whom it is for, so that its
 * body need not be read. What has no body carries nothing off, unless it opens a WebSocket.
 */
export function bound(
  routing: Pick<Routing, 'planner' | 'providers'> | null,
  {
    exchange,
    target,
    headers,
    trusted,
    hasBody,
  }: { exchange: ExchangeOpen; target: Target; headers: Headers; trusted: boolean; hasBody: boolean },
): CallShape | null {
  if (routing === null || routing.planner.binding().length === 0) return null
  if (!hasBody && !isWebSocket(headers)) return null
  const { planner, providers } = routing
  if (receivers(target).every((name) => providers.find(name)?.local ?? false)) return null
  const shape: CallShape = {
    ...{ dialect: target.dialect, tenant: exchange.tenant, keyId: exchange.key_id, tags: exchange.tags },
    ...{ headers, bytes: null, model: undefined, facts: saidFacts({ headers, trusted }) },
  }
  return planner.binding().some((rule) => rule.mismatch(shape) === null) ? shape : null
}

/**
 * Asks every binding rule that is about the call, not the first alone. What cannot be told of it (a model, a class)
 * counts as any: nobody gets past a rule by being unreadable.
 * @throws SluiceError 403 `kept-local` where a policy does not let one of its receivers have it
 */
export function holdBound(
  { planner, providers }: Pick<Routing, 'planner' | 'providers'>,
  shape: CallShape,
  target: Pick<Target, 'provider' | 'plan'>,
): void {
  if (planner.binding().length === 0) return
  const facts: CallShape['facts'] = (name, guards) => {
    const fact = shape.facts(name, guards)
    return fact?.values.length === 0 ? undefined : fact
  }
  const asked = { ...shape, model: shape.model ?? undefined, facts }
  const away = receivers(target).find((name) => !(providers.find(name)?.local ?? false))
  if (away === undefined) return
  for (const rule of planner.binding()) if (rule.mismatch(asked) === null) hold(rule, asked, away)
}

function hold({ name, spec: { policy } }: Rule, { facts }: CallShape, provider: string): void {
  const sensitivity = facts('sensitivity')
  if (policy === undefined || mayHave(policy, sensitivity)) return
  const word = sensitivity?.values[0] ?? 'not known to be harmless'
  const message = `The call is ${word}: the policy ${policy} of the route ${name} keeps it on own machines, and ${provider}, which it is for, is not on one`
  throw new SluiceError(403, 'kept-local', message)
}

function receivers({ provider, plan }: Pick<Target, 'provider' | 'plan'>): readonly string[] {
  return plan === undefined ? [provider] : plan.candidates.map((one) => one.provider)
}
