import type { Caller } from '#access'
import type { ExchangeOpen } from '#capture'
import type { AdmitCall } from './money/money.ts'
import type { Providers } from './providers/provider.ts'
import { lengthOf } from './request-body.ts'
import { payables } from './routing/decide.ts'
import type { Plan } from './routing/plan.ts'
import type { Target } from './target.ts'

/** What rate limits and budgets are asked about a call. */
export function admitCallOf(
  {
    request,
    target,
    exchange,
    body,
    plan,
    model,
  }: {
    request: Request
    target: Target
    exchange: ExchangeOpen
    caller: Caller
    body: Uint8Array | null
    plan: Plan | null
    model: () => string | null
  },
  { providers, climbs }: { providers: Providers; climbs: boolean },
): AdmitCall {
  const { headers, method } = request
  const route = plan?.route ?? null
  return {
    ...{ at: exchange.started_at, tenant: exchange.tenant, keyId: exchange.key_id, route },
    candidates: payables(plan, { target, providers, model }),
    ...{ method, path: target.path, body, packed: headers.has('content-encoding') },
    bodyBytes: body?.byteLength ?? lengthOf(headers),
    counts: target.part === true ? 'tokens' : climbs ? 'requests' : 'both',
  }
}
