import { expect } from 'bun:test'
import type { ExchangeOpen, RecordedExchange } from '../../src/capture/exchange.ts'
import type { SealedEnd } from '../../src/capture/recording.ts'
import { newId } from '../../src/lib/ids.ts'

export function openOf(changes: Partial<ExchangeOpen> = {}): ExchangeOpen {
  return {
    v: 1,
    id: newId(),
    started_at: 1_790_000_000_000.125,
    protocol: 'http',
    method: 'POST',
    path: '/v1/messages?beta=true',
    dialect: 'anthropic',
    provider: 'mock',
    tenant: 'default',
    key_id: null,
    tags: ['a', 'b'],
    mode: 'full',
    request_headers: [
      ['content-type', 'application/json'],
      ['user-agent', 'test/1.0'],
      ['accept', '*/*'],
    ],
    ...changes,
  }
}

export function endOf(changes: Partial<SealedEnd> = {}): SealedEnd {
  return {
    outcome: 'completed',
    status: 200,
    error: null,
    first_byte_at: 1_790_000_000_010.5,
    ended_at: 1_790_000_000_020.5,
    response_headers: [['content-type', 'application/json']],
    ...changes,
  }
}

export function exchange(seq: number, bodies: Partial<Pick<RecordedExchange, 'request' | 'response'>> = {}) {
  const request = bodies.request ?? Buffer.from(`{"question":${seq}}`)
  const response = bodies.response ?? Buffer.from(`{"answer":${seq}}`)
  const read: RecordedExchange = {
    open: openOf(),
    end: { ...endOf(), seq, request_bytes: request.length, response_bytes: response.length },
    request,
    response,
  }
  return read
}

export function sameExchange(
  read: RecordedExchange | undefined,
  written: RecordedExchange | undefined,
): void {
  expect(read?.open).toEqual(written?.open as ExchangeOpen)
  expect(read?.end).toEqual(written?.end as RecordedExchange['end'])
  expect(sha256(read?.request)).toBe(sha256(written?.request))
  expect(sha256(read?.response)).toBe(sha256(written?.response))
}

export function sha256(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'missing' : new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
}
