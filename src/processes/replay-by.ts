import type { Replay } from '#capture'
import { type LlmProxy, type Provider, type Providers, planFor, translation } from '#llm'

/** The upstream sees the gateway's own key; the record, who asked for the replay. */
export function replayBy(proxy: LlmProxy, providers: Providers): Replay {
  return (request, { principal, replayOf, provider, dialect, path, named }) => {
    const replay = { caller: { principal, passThrough: false }, of: replayOf }
    const found = providers.find(provider)
    const target = { provider, dialect, path, replay, ...(named ? { named: true as const } : {}) }
    const crosses = found !== null && dialect !== null && !takes(found, dialect)
    return proxy.handle(request, crosses ? { ...target, plan: planFor(provider, null) } : target, null)
  }
}

/** Can a provider take requests of this dialect, as they are or translated? Who is unknown is told so by the proxy. */
export function canSpeak(provider: Provider | null, dialect: string): boolean {
  return provider === null || takes(provider, dialect) || translation(dialect, provider.dialect) !== null
}

/** A vendor's API takes what else of its family there is, as it is. */
function takes({ speaks, dialect: own }: Provider, dialect: string): boolean {
  const hasTranslation = translation(dialect, own) !== null
  return speaks.includes(dialect) || (!hasTranslation && own.split('-')[0] === dialect.split('-')[0])
}
