import type { ExchangeOpen, Interpretation, Metered, RecordedExchange } from '#capture'
import { openExchangeReader } from './exchange-reader.ts'
import { type Cost, price } from './price.ts'

/** What the bytes of an exchange mean. Reads at most 32 MiB of either side, unpacked. Never throws. */
export function interpret({ open, end, request, response }: RecordedExchange): Interpretation {
  if (end.metered !== undefined) return fromMetered(open, end)
  const reader = openExchangeReader(open)
  reader.request(request)
  reader.head(end.status, end.response_headers)
  reader.response(response)
  const read = reader.result()
  const models = { model_asked: read.request.model, model_served: read.response.model }
  return {
    ...models,
    streamed: read.streamed,
    ...billed(open, end, { ...models, usage: read.response.usage }),
    error: read.response.error,
    session: read.session,
    history: read.request.history,
    reply: read.response.reply,
  }
}

/** In `metadata` mode the gateway read the bytes, and only this is left of them. */
function fromMetered(open: ExchangeOpen, end: RecordedExchange['end']): Interpretation {
  const metered = end.metered
  const { client, session, agent, parent_agent } = metered ?? {}
  return {
    model_asked: metered?.model_asked ?? null,
    model_served: metered?.model_served ?? null,
    streamed: metered?.streamed ?? false,
    ...(metered === undefined ? { usage: null, cost: null } : billed(open, end, metered)),
    error: end.outcome === 'upstream_error' ? end.error : null,
    session: session
      ? { client: client ?? 'unknown', session, agent: agent ?? null, parent_agent: parent_agent ?? null }
      : null,
    history: [],
    reply: null,
  }
}

type Priced = Pick<Metered, 'model_served' | 'model_asked' | 'usage'>

/** An answer out of the cache was billed when it was first given: no tokens, and it cost nothing. */
function billed(
  open: ExchangeOpen,
  { cache }: RecordedExchange['end'],
  read: Priced,
): Pick<Interpretation, 'usage' | 'cost'> {
  if (cache === 'hit' || cache === 'shared') {
    return { usage: null, cost: { micros: 0, currency: 'USD', price_version: 'cached' } }
  }
  return { usage: read.usage, cost: costOf(open, read) }
}

/** By the model that answered, or, where the list does not know its full name, by the one asked for. */
function costOf(
  { provider, started_at: at }: ExchangeOpen,
  { model_served, model_asked, usage }: Pick<Metered, 'model_served' | 'model_asked' | 'usage'>,
): Cost | null {
  return (
    price({ provider, model: model_served, usage, at }) ?? price({ provider, model: model_asked, usage, at })
  )
}
