import type { RecordedExchange } from '../exchange.ts'
import { type ExchangeEnd, type ExchangeOpen, exchangeEnd, exchangeOpen } from '../exchange.ts'

/** What is known of an exchange beside its bytes, as the first part of its content: headers and all. */
export function writeHead({ open, end }: RecordedExchange): Uint8Array {
  return Buffer.from(JSON.stringify([open, end]))
}

/** @throws Error where the head is not one */
export function readHead(bytes: Uint8Array): { open: ExchangeOpen; end: ExchangeEnd } {
  const [open, end] = JSON.parse(Buffer.from(bytes).toString()) as unknown[]
  return { open: exchangeOpen.parse(open), end: exchangeEnd.parse(end) }
}
