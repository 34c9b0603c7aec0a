import Anthropic from '@anthropic-ai/sdk'
import type { Json } from '../dialects/json.ts'
import type { Send } from './adapter.ts'
import { nowhere, type Transport } from './transport.ts'

type Params = Anthropic.MessageCreateParamsNonStreaming
const timeoutMs = 600_000

/** Through Anthropic's own SDK, whose requests go to the gateway as anybody's do. Retries are whose who asks. */
export function anthropicTransport(provider: string, send: Send): Transport {
  const client = new Anthropic({
    ...{ apiKey: 'replaced', baseURL: `${nowhere}/p/${provider}`, maxRetries: 0, timeout: timeoutMs },
    fetch: (input, init) => send(new Request(String(input), withLength(init as RequestInit))),
  })
  return {
    async whole(out, { signal, headers }) {
      const { data, response } = await client.messages
        .create(out.body as unknown as Params, { signal, headers })
        .withResponse()
      return { body: data as unknown as Json, exchange: response.headers.get('sluice-exchange') }
    },
    async events(out, { signal, headers }) {
      const { data, response } = await client.messages
        .create({ ...(out.body as unknown as Params), stream: true }, { signal, headers })
        .withResponse()
      return {
        events: data as AsyncIterable<unknown> as AsyncIterable<Json>,
        exchange: response.headers.get('sluice-exchange'),
      }
    },
  }
}

/** A request that was never on a wire has no length, and would be streamed. */
function withLength(init: RequestInit): RequestInit {
  const headers = new Headers(init.headers)
  if (typeof init.body === 'string') headers.set('content-length', String(Buffer.byteLength(init.body)))
  return { ...init, headers }
}
