import { SluiceError } from '#lib/errors'
import { sseParser } from '#lib/sse'
import type { Outgoing } from '../codecs/codec.ts'
import { readErrorBody } from '../codecs/errors.ts'
import { type Json, object, parseJson } from '../dialects/json.ts'
import type { Send } from './adapter.ts'
import { AskError } from './ask-error.ts'

/** How the words of a question reach a provider and its answer comes back. Both throw what `askErrorOf` understands. */
export type Transport = {
  whole(out: Outgoing, how: How): Promise<{ body: Json; exchange: string | null }>
  events(out: Outgoing, how: How): Promise<{ events: AsyncIterable<Json>; exchange: string | null }>
}

export type How = { signal: AbortSignal; headers: Record<string, string> }

/** Replaced by whoever sends it. */
export const nowhere = 'http://sluice.internal'

/** JSON there, JSON or server-sent events back. */
export function plainTransport(provider: string, send: Send): Transport {
  return {
    async whole(out, how) {
      const response = await post(out, how)
      const exchange = response.headers.get('sluice-exchange')
      const body = object(parseJson(await response.text()))
      if (body === null)
        throw new AskError(502, `asking ${provider}: the answer is no JSON object`, { exchange })
      return { body, exchange }
    },
    async events(out, how) {
      const response = await post(out, how)
      const exchange = response.headers.get('sluice-exchange')
      return { events: jsonEvents(response, provider), exchange }
    },
  }

  async function post({ path, body, headers: own }: Outgoing, { signal, headers }: How): Promise<Response> {
    const bytes = new TextEncoder().encode(JSON.stringify(body))
    const response = await send(
      new Request(`${nowhere}/p/${provider}${path}`, {
        ...{ method: 'POST', body: bytes, signal },
        headers: {
          ...own,
          ...headers,
          'content-type': 'application/json',
          // Known lengths go through whole.
          'content-length': String(bytes.byteLength),
        },
      }),
    )
    if (response.ok) return response
    const { message } = readErrorBody(await response.text(), response.status)
    throw new AskError(response.status, `asking ${provider}: ${response.status}: ${message.slice(0, 500)}`, {
      headers: response.headers,
      exchange: response.headers.get('sluice-exchange'),
    })
  }
}

/** @throws SluiceError where an event is no JSON object */
async function* jsonEvents(response: Response, provider: string): AsyncGenerator<Json, void> {
  const ready: Json[] = []
  const sse = sseParser(({ data }) => {
    if (data.trimEnd() === '[DONE]') return
    const event = object(parseJson(data))
    if (event === null)
      throw new SluiceError(502, 'upstream-malformed', `asking ${provider}: an event is no JSON object`)
    ready.push(event)
  })
  for await (const chunk of response.body ?? []) {
    sse.push(chunk)
    yield* ready.splice(0)
  }
  sse.end()
  yield* ready.splice(0)
}
