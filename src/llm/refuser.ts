import type { ExchangeOpen } from '#capture'
import { SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Attempt } from '#lib/upstream'
import type { Call } from './call.ts'
import { recordable } from './headers.ts'
import type { Providers } from './providers/provider.ts'
import { refusalOf } from './refusal.ts'
import { marksOf } from './routing/journey.ts'
import { verdict } from './verdict.ts'

type Refused = { request: Request; exchange: ExchangeOpen; call: Call | null; attempt: Attempt | null }

/** Turns what was thrown on the way into an answer in the dialect's shape, and seals the record of it. */
export function openRefuser({
  providers,
  log,
  begin,
}: {
  providers: Providers
  log: Logger
  /** @throws SpoolFullError */
  begin: (exchange: ExchangeOpen) => Call
}): (thrown: unknown, of: Refused) => Promise<Response> {
  return refuse

  async function refuse(thrown: unknown, { request, exchange, call, attempt }: Refused): Promise<Response> {
    attempt?.end()
    const { outcome, error, reason } = verdict(thrown, { request, attempt })
    if (outcome === 'rejected' && !(error instanceof SluiceError))
      log.error({ err: error, id: exchange.id }, 'proxy: failed')
    const refusal = await refusalOf(error, errorDialect(exchange.dialect, exchange.provider))
    const record = call ?? tryBegin(exchange)
    if (record !== null && outcome !== 'client_gone') {
      record.answered(refusal.status, recordable(refusal.headers))
      record.response(refusal.body)
    }
    try {
      await record?.end(outcome, reason)
    } catch (failure) {
      log.error({ err: failure, id: exchange.id }, 'proxy: a refusal could not be recorded')
    }
    refusal.headers.set('sluice-exchange', exchange.id)
    const marks = call?.journey ? marksOf(call.journey) : {}
    for (const name in marks) refusal.headers.set(name, marks[name] ?? '')
    return new Response(refusal.body, { status: refusal.status, headers: refusal.headers })
  }

  /** A refusal is recorded too; but where the record is what is full, there is no place for it. */
  function tryBegin(exchange: ExchangeOpen): Call | null {
    try {
      return begin(exchange)
    } catch {
      return null
    }
  }

  /** The dialect of the path, else that of the provider's own API. */
  function errorDialect(dialect: string | null, provider: string | null): string | null {
    if (dialect !== null || provider === null) return dialect
    return providers.dialectOf(provider)
  }
}
