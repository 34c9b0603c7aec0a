import { SluiceError } from '#lib/errors'
import { type DialectName, translator } from '../../../src/llm/codecs/index.ts'
import { dialectNamed, dialectOfPath } from '../../../src/llm/dialects/dialects.ts'

/** What one call lost, and what went to the upstream. */
export type Seen = { path: string; body: Record<string, unknown>; warnings: string[] }

export type TestGateway = { url: string; seen: Seen[]; last(): Seen; close(): Promise<void> }

/** The smallest gateway: every call is translated to `to` and sent to `upstream`. */
export function openTestGateway(to: DialectName, upstream: string): TestGateway {
  const seen: Seen[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const url = new URL(request.url)
      const from = (dialectOfPath(url.pathname)?.name ?? '') as DialectName
      const translating = translator(from, to)
      try {
        const body = new Uint8Array(await request.arrayBuffer())
        if (translating === null) throw new Error('nothing to translate')
        const out = translating.request(body, url.pathname + url.search, request.headers, { model: null })
        const entry = {
          path: out.path,
          body: JSON.parse(new TextDecoder().decode(out.body)),
          warnings: out.warnings,
        }
        seen.push(entry)
        const answer = await fetch(upstream + out.path, {
          method: 'POST',
          headers: out.headers,
          body: out.body as Uint8Array<ArrayBuffer>,
        })
        if (answer.ok && answer.headers.get('content-type')?.startsWith('text/event-stream')) {
          const relay = translating.relay()
          return new Response(
            relayed(answer.body, relay, (lost) => entry.warnings.push(...lost)),
            {
              headers: { 'content-type': translating.streamType() },
            },
          )
        }
        const whole = translating.response(new Uint8Array(await answer.arrayBuffer()), answer.status)
        entry.warnings = whole.warnings
        return new Response(whole.body as Uint8Array<ArrayBuffer>, {
          status: whole.status,
          headers: { 'content-type': whole.contentType },
        })
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        const { status, code, message } = error
        return Response.json(dialectNamed(from)?.errorBody({ status, code, message }), { status })
      }
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    seen,
    last: () => {
      const last = seen.at(-1)
      if (last === undefined) throw new Error('no call was sent')
      return last
    },
    close: async () => await server.stop(true),
  }
}

async function* relayed(
  body: ReadableStream<Uint8Array> | null,
  relay: ReturnType<NonNullable<ReturnType<typeof translator>>['relay']>,
  lost: (warnings: string[]) => void,
): AsyncGenerator<Uint8Array> {
  let failure: { status: number; code: string; message: string } | undefined
  try {
    for await (const chunk of body ?? []) {
      const out = relay.push(chunk)
      if (out !== null) yield out
    }
  } catch {
    failure = { status: 502, code: 'upstream-gone', message: 'The provider broke off' }
  }
  const out = relay.end(failure)
  lost(relay.warnings())
  if (out !== null) yield out
}
