import type { Outcome } from '#capture'
import { errorText, SluiceError } from '#lib/errors'
import { problem } from '#lib/problem'
import { UpstreamFailure } from '#lib/upstream'
import { dialectNamed } from './dialects/dialects.ts'

/** Tells the SDKs of Anthropic and OpenAI not to try again by themselves what they would otherwise. */
export const noRetry = { 'x-should-retry': 'false' }

export type Refusal = { status: number; headers: Headers; body: Uint8Array<ArrayBuffer> }

/** An error of the gateway, in the shape that the caller's SDK reads; as problem JSON where there is no dialect. */
export async function refusalOf(error: unknown, dialect: string | null): Promise<Refusal> {
  const shape = dialectNamed(dialect)
  const plain = problem(error)
  if (shape === null) {
    return { status: plain.status, headers: plain.headers, body: new Uint8Array(await plain.arrayBuffer()) }
  }
  const known = error instanceof SluiceError ? error : null
  const headers = new Headers(known?.headers)
  headers.set('content-type', 'application/json')
  const body = shape.errorBody({
    status: plain.status,
    code: known?.code ?? 'internal',
    message: known === null ? 'The gateway failed to answer; its log has the reason.' : errorText(known),
  })
  return { status: plain.status, headers, body: new TextEncoder().encode(JSON.stringify(body)) }
}

/** How a failure of the upstream ends an exchange, and what the client is told where it was told nothing yet. */
export function endOf(failure: UpstreamFailure): { outcome: Outcome; error: SluiceError } {
  const { kind, message } = failure
  switch (kind) {
    case 'unreachable':
      return { outcome: 'upstream_unreachable', error: new SluiceError(502, 'upstream-unreachable', message) }
    case 'timeout':
      return { outcome: 'upstream_timeout', error: new SluiceError(504, 'upstream-timeout', message) }
    case 'gone':
      return { outcome: 'upstream_gone', error: new SluiceError(502, 'upstream-gone', message) }
    case 'client-gone':
      return { outcome: 'client_gone', error: new SluiceError(499, 'client-gone', message) }
    case 'refused':
      return {
        outcome: 'rejected',
        error:
          failure.cause instanceof SluiceError ? failure.cause : new SluiceError(400, 'refused', message),
      }
    case 'stopped':
      return { outcome: 'gateway_crashed', error: new SluiceError(503, 'gateway-stopped', message) }
  }
}

/** Why the upstream is no longer wanted. */
export function clientLeft(): UpstreamFailure {
  return new UpstreamFailure('client-gone', 'client-gone', 'The client hung up')
}
