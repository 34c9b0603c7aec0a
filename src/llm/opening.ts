import type { Caller } from '#access'
import type { ExchangeOpen } from '#capture'
import { now } from '#lib/clock'
import { withoutKey } from '#lib/credentials'
import { newId } from '#lib/ids'
import { recordable, tagsOf } from './headers.ts'
import { pathOf, type Target } from './target.ts'

/**
 * The start of an exchange's record, before it is known who asks. Who stays unknown is recorded as a refusal
 * with no content, for the tenant `default`.
 */
export function describe(
  request: Request,
  { provider, dialect, replay }: Target,
  protocol: ExchangeOpen['protocol'],
): ExchangeOpen {
  const startedAt = now()
  const { headers, method } = request
  return {
    v: 1,
    id: newId(Math.floor(startedAt)),
    started_at: startedAt,
    protocol,
    method,
    path: withoutKey(pathOf(request.url)),
    dialect,
    provider,
    tenant: 'default',
    key_id: null,
    tags: [],
    mode: 'metadata',
    request_headers: recordable(headers),
    ...(replay === undefined ? {} : { replay_of: replay.of }),
  }
}

/** @throws SluiceError 400 `bad-tags` */
export function identify(open: ExchangeOpen, { principal }: Caller, headers: Headers): void {
  open.tenant = principal.tenant
  open.key_id = principal.keyId
  open.mode = principal.capture
  open.tags = tagsOf(headers, principal.tags)
}
