/**
 * Model traffic.
 *
 * dialect     the wire format of a model API: Anthropic Messages, OpenAI Chat, …
 * provider    a vendor or server that speaks one or more dialects; data, not code
 * upstream    where a request is sent: a provider's address
 * target      provider, dialect and path of one request
 * mock        a provider on loopback that needs no key
 */
export { interpret } from './interpret.ts'
export { openMock } from './providers/mock/index.ts'
export { openProviders } from './providers/registry.ts'
export { type LlmProxy, openProxy } from './proxy.ts'
