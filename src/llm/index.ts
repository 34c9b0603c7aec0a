/**
 * Model traffic.
 *
 * dialect     the wire format of a model API: Anthropic Messages, OpenAI Chat, …
 * provider    a vendor or server that speaks one or more dialects; data, not code
 * target      provider, dialect and path of one request
 * route       a named rule: which calls it is about, and which candidates (or ladder) they go to
 * candidate   a provider, and the model that it is asked for
 * ladder      candidates by price; a judge decides whether an answer is good enough
 * breaker     keeps calls off a provider, or one of its models, that does not work
 * budget      what may be spent, in a period of UTC; gateways hold leases of it
 * class       what an exchange was about; found after the fact
 * mock        a provider on loopback that needs no key
 */
export type { Adapter, Piece, Question, Said, Send } from './adapters/adapter.ts'
export { AskError } from './adapters/ask-error.ts'
export { type AdapterFactory, openAdapters } from './adapters/factory.ts'
export { type OwnCalls, ownCalls, ownCallsOver } from './adapters/own-calls.ts'
export { type Asking, type AskingOptions, openAsking } from './asking.ts'
export { type OpenCacheOptions, openCache } from './cache/open-cache.ts'
export { sweepCache } from './cache/postgres-store.ts'
export type { Entrance, ResponseCache } from './cache/response-cache.ts'
export { type BackfillProgress, backfill } from './classify/backfill.ts'
export type { ClassifyExchanges } from './classify/classify.ts'
export { type ClassificationFeed, openClassificationFeed } from './classify/feed.ts'
export {
  type Classification,
  type OpenClassifyOptions,
  openClassification,
} from './classify/open-classify.ts'
export { classifyByRules } from './classify/rules.ts'
export { subjectOf } from './classify/subject.ts'
export { interpret } from './interpret.ts'
export { openLadders } from './ladder/ladders.ts'
export { pruneLadders } from './ladder/upkeep.ts'
export { alertSender } from './money/alerts.ts'
export { type Bookkeeping, moneyUpkeep, openBookkeeping } from './money/bookkeeping.ts'
export type { Actual, Admission, AdmitCall, Money } from './money/money.ts'
export { type MoneyOptions, type OpenMoney, openMoney } from './money/open-money.ts'
export { resumSpend } from './money/resum.ts'
export type { Orchestra } from './orchestra/orchestra.ts'
export type { PriceOf } from './price.ts'
export { openMock } from './providers/mock/index.ts'
export type { Provider, Providers } from './providers/provider.ts'
export { openProviders } from './providers/registry.ts'
export { type LlmProxy, openProxy } from './proxy.ts'
export { planFor } from './routing/plan.ts'
export { openRouting, type Routing, type RoutingOptions } from './routing/routing.ts'
export { translation } from './routing/translation.ts'
