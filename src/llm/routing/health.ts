import { Breaker, type BreakerLimits, type BreakerView } from './breaker.ts'

export type Place = { provider: string; model: string | null }

/** How providers, and single models at them, have been doing, and how busy they are; of this gateway alone. */
export type Health = {
  /** Null where a call may go there; else why not. */
  closedTo(place: Place): { reason: string; remainingMs: number } | null
  begin(place: Place): Use
  /** Calls under way. */
  busy(place: Place): number
  /** Forgets what is held against a provider. */
  reset(provider: string): void
  view(provider: string): { breaker: BreakerView; busy: number; models: ModelHealth[] }
  all(): { provider: string; model: string | null; state: BreakerView['state'] }[]
}

export type ModelHealth = { model: string; breaker: BreakerView; busy: number }

/** One call's use of a place. */
export type Use = {
  /** The other side works; due before `end`. */
  worked(): void
  /** It does not; may come after `worked`, where an answer breaks off. */
  failed(reason: string): void
  /** Due once. */
  end(): void
}

type One = { breaker: Breaker; busy: number }

/** Places remembered at most; what was used longest ago is forgotten. */
const mostPlaces = 2_000

export function openHealth(limits: BreakerLimits = {}): Health {
  const providers = new Map<string, One>()
  const models = new Map<string, One & { place: Place }>()

  return {
    closedTo({ provider, model }) {
      const whole = providers.get(provider)?.breaker
      if (whole !== undefined && !whole.lets) return refusal(provider, whole)
      const one = model === null ? undefined : models.get(keyOf(provider, model))?.breaker
      if (one !== undefined && !one.lets) return refusal(`${provider}/${model}`, one)
      return null
    },
    begin(place) {
      const ones = onesOf(place)
      for (const one of ones) {
        one.busy += 1
        one.breaker.enter()
      }
      let told = false
      return {
        worked() {
          told = true
          for (const { breaker } of ones) breaker.succeeded()
        },
        failed(reason) {
          told = true
          for (const { breaker } of ones) breaker.failed(reason)
        },
        end() {
          for (const one of ones) {
            one.busy -= 1
            if (!told) one.breaker.abandoned()
          }
        },
      }
    },
    busy: ({ provider, model }) =>
      (model === null ? providers.get(provider) : models.get(keyOf(provider, model)))?.busy ?? 0,
    reset(provider) {
      providers.get(provider)?.breaker.reset()
      for (const { place, breaker } of models.values()) if (place.provider === provider) breaker.reset()
    },
    view(provider) {
      const { breaker, busy } = providers.get(provider) ?? { breaker: new Breaker(limits), busy: 0 }
      const own = [...models.values()].flatMap(({ place, ...one }) =>
        place.provider === provider
          ? [{ model: place.model ?? '', breaker: one.breaker.view(), busy: one.busy }]
          : [],
      )
      return { breaker: breaker.view(), busy, models: own }
    },
    all: () => [
      ...[...providers].map(([provider, { breaker }]) => ({ provider, model: null, state: breaker.state })),
      ...[...models.values()].map(({ place, breaker }) => ({ ...place, state: breaker.state })),
    ],
  }

  function onesOf({ provider, model }: Place): One[] {
    let whole = providers.get(provider)
    if (whole === undefined) {
      whole = { breaker: new Breaker(limits), busy: 0 }
      providers.set(provider, whole)
    }
    if (model === null) return [whole]
    const key = keyOf(provider, model)
    const found = models.get(key)
    const one = found ?? { place: { provider, model }, breaker: new Breaker(limits), busy: 0 }
    // Models are named by clients: last used stands last, so that the oldest can be dropped.
    if (found !== undefined) models.delete(key)
    models.set(key, one)
    if (models.size > mostPlaces) models.delete(models.keys().next().value ?? '')
    return [whole, one]
  }
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`
}

function refusal(name: string, breaker: Breaker): { reason: string; remainingMs: number } {
  const { state, reason } = breaker.view()
  return { reason: `${name} is ${state} after ${reason ?? 'failures'}`, remainingMs: breaker.remainingMs }
}
