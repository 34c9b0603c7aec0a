import type { ExchangeOpen, Interpret, Interpretation, Metered, RecordedExchange } from '#capture'
import { openExchangeReader } from './exchange-reader.ts'
import { type Cost, type PriceOf, price } from './price.ts'

/** What the bytes of an exchange mean, at the list prices that came with the program. */
export const interpret: Interpret = interpreter(price)

/**
 * What the bytes of an exchange mean, at prices that may change while it is in use. Reads at most 32 MiB of either
 * side, unpacked. Never throws.
 */
export function interpreter(priceOf: PriceOf): Interpret {
  return (exchange) => read(exchange, priceOf)
}

function read({ open, end, request, response }: RecordedExchange, priceOf: PriceOf): Interpretation {
  if (end.metered !== undefined) return fromMetered(open, end, priceOf)
  const reader = openExchangeReader(open)
  reader.request(request)
  reader.head(end.status, end.response_headers)
  reader.response(response)
  const found = reader.result()
  const models = { model_asked: found.request.model, model_served: found.response.model }
  return {
    ...models,
    streamed: found.streamed,
    ...billed({ open, end }, { ...models, usage: found.response.usage }, priceOf),
    error: found.response.error,
    session: found.session,
    history: found.request.history,
    reply: found.response.reply,
    tool_uses: found.response.tool_uses,
    ...(found.unread.length === 0 ? {} : { warnings: found.unread }),
  }
}

/** In `metadata` mode the gateway read the bytes, and only this is left of them. */
function fromMetered(open: ExchangeOpen, end: RecordedExchange['end'], priceOf: PriceOf): Interpretation {
  const metered = end.metered
  const { client, session, agent, parent_agent } = metered ?? {}
  return {
    model_asked: metered?.model_asked ?? null,
    model_served: metered?.model_served ?? null,
    streamed: metered?.streamed ?? false,
    ...(metered === undefined ? { usage: null, cost: null } : billed({ open, end }, metered, priceOf)),
    error: end.outcome === 'upstream_error' ? end.error : null,
    session: session
      ? { client: client ?? 'unknown', session, agent: agent ?? null, parent_agent: parent_agent ?? null }
      : null,
    history: [],
    reply: null,
  }
}

type Billable = Pick<Metered, 'model_served' | 'model_asked' | 'usage'>

/** An answer out of the cache was billed when it was first given: no tokens, and it cost nothing. */
function billed(
  { open, end: { cache, routed } }: Pick<RecordedExchange, 'open' | 'end'>,
  of: Billable,
  priceOf: PriceOf,
): Pick<Interpretation, 'usage' | 'cost'> {
  if (cache === 'hit' || cache === 'shared') {
    return { usage: null, cost: { micros: 0, currency: 'USD', price_version: 'cached' } }
  }
  if (routed?.climb !== undefined) {
    return { usage: null, cost: { micros: 0, currency: 'USD', price_version: 'ladder' } }
  }
  if (routed === undefined) return { usage: of.usage, cost: costOf(open, of, priceOf) }
  // Of a translated answer only the upstream's own counts are any: zeros that begin an Anthropic stream are ours.
  const usage = routed.usage === undefined ? of.usage : routed.usage
  const provider = routed.provider ?? open.provider
  const model_asked = routed.model ?? of.model_asked
  return { usage, cost: costOf({ ...open, provider }, { ...of, usage, model_asked }, priceOf) }
}

/** By the model that answered, or, where the list does not know its full name, by the one asked for. */
function costOf(
  { provider, started_at: at }: ExchangeOpen,
  { model_served, model_asked, usage }: Billable,
  priceOf: PriceOf,
): Cost | null {
  return (
    priceOf({ provider, model: model_served, usage, at }) ??
    priceOf({ provider, model: model_asked, usage, at })
  )
}
