import type { Outcome, Usage } from '#capture'
import { decompress } from '../decompress.ts'
import type { ResponseReader } from '../dialects/dialect.ts'
import { dialectNamed } from '../dialects/dialects.ts'
import { readableBytes } from '../dialects/json.ts'
import type { Admission } from './money.ts'
import type { PriceBook } from './price-book.ts'

/**
 * Reads of an answer what it cost, while it passes, and settles the admission at its end; for calls under a budget,
 * whatever the capture mode. The request is not read again.
 */
export type UsageMeter = {
  /** Before the first byte. Header names are lower case. */
  answered(status: number, headers: readonly (readonly [string, string])[]): void
  response(chunk: Uint8Array): void
  /** @returns what counts against the budgets, for `charged_micros` of the exchange's end; null where none is */
  settle(outcome: Outcome): number | null
}

export type Metered = {
  admission: Admission
  /** Who answers; a routed call tries several and settles by the last. */
  provider: string
  model: string | null
  dialect: string | null
  /** The exchange's start, ms since the epoch. */
  at: number
  book: PriceBook
}

export function usageMeter({ admission, provider, model, dialect, at, book }: Metered): UsageMeter {
  let reader: ResponseReader | null = null
  let encoding: string | null = null
  let packed: Uint8Array[] = []
  let bytes = 0
  let streamed = false

  return {
    answered(status, headers) {
      const header = (wanted: string) => headers.find(([name]) => name === wanted)?.[1] ?? null
      encoding = header('content-encoding')
      streamed = header('content-type')?.startsWith('text/event-stream') ?? false
      reader = dialectNamed(dialect)?.responseReader({ streamed, status }) ?? null
    },
    response(chunk) {
      bytes += chunk.byteLength
      if (encoding === null) reader?.push(chunk)
      else if (bytes <= readableBytes) packed.push(chunk)
    },
    settle(outcome) {
      if (encoding !== null && bytes <= readableBytes && reader !== null) {
        const plain = decompress(Buffer.concat(packed), encoding, readableBytes)
        if (plain !== null) reader.push(plain)
      }
      packed = []
      const reading = reader?.result() ?? null
      const usage = reading?.usage ?? null
      const costMicros = costOf(usage, reading?.model ?? null)
      const failed = outcome === 'completed' && reading?.error != null
      return admission.settle({
        ...{ costMicros, usage, responseBytes: bytes, streamed },
        outcome: failed ? 'upstream_error' : outcome,
      })
    },
  }

  /** As the record has it: by the model that answered, else by the one asked for. */
  function costOf(usage: Usage | null, served: string | null): number | null {
    const found =
      book.price({ provider, model: served, usage, at }) ?? book.price({ provider, model, usage, at })
    return found?.micros ?? null
  }
}
