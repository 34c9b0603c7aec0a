import type { ExchangeOpen, Metered } from '#capture'
import { openExchangeReader } from './exchange-reader.ts'
import { readClient } from './session.ts'

export type Meter = {
  request(chunk: Uint8Array): void
  /** Before the first byte of the response. Header names are lower case. */
  head(status: number | null, headers: readonly (readonly [string, string])[]): void
  response(chunk: Uint8Array): void
  /** The response is over. Resolves when all of it was read; null: it was. */
  end(): Promise<void> | null
  /** Ends the reading. */
  read(): Reading
}

export type Reading = {
  /** All that may be kept of an exchange in `metadata` mode. */
  metered: Metered
  /** The type of an error in the body or, after a 200, in the stream: a word, never content. */
  error: string | null
}

/** Reads an exchange while it passes, in memory that is bounded whatever passes. Never throws. */
export function openMeter(
  open: Pick<ExchangeOpen, 'dialect' | 'path' | 'method' | 'protocol' | 'request_headers'>,
): Meter {
  const reader = openExchangeReader(open, { countsOnly: true })
  return {
    request: reader.request,
    head: reader.head,
    response: reader.response,
    end: reader.end,
    read() {
      const { request, response, streamed, session } = reader.result()
      const metered = {
        model_asked: request.model,
        model_served: response.model,
        streamed,
        usage: response.usage,
        session: session?.session ?? null,
        agent: session?.agent ?? null,
        parent_agent: session?.parent_agent ?? null,
        client: session?.client ?? readClient(open.request_headers),
      }
      return { metered, error: response.error }
    },
  }
}
