import type { ServerWebSocket } from 'bun'
import { errorText } from '#lib/errors'
import { answer } from './answer.ts'
import { socketEvents } from './openai-responses.ts'
import { readSent } from './sent.ts'

export type Mock = {
  /** As in `http://127.0.0.1:41234`, without a path. */
  url: string
  close(): Promise<void>
}

/**
 * The provider `mock`: a server on loopback that speaks every dialect and never leaves the machine. It asks for
 * no key, and answers equal requests with equal bytes.
 *
 * Routes: `/v1/messages` (and `/count_tokens`), `/v1/chat/completions`, `/v1/responses` (JSON, SSE, WebSocket),
 * `/v1/embeddings`, `/v1/models`, `/v1beta/models/{model}:{generateContent, streamGenerateContent, countTokens,
 * embedContent, batchEmbedContents}`, `/v1beta/models`.
 *
 * Any model name will do. It answers with a sentence that quotes the prompt; calls a tool where `tool_choice`
 * forces one or the prompt says `use tool NAME` (or `use tool NAME with {"json": "arguments"}`, on one line);
 * and after a tool's result says what the tool answered. A model's name, or the prompt, can ask for more:
 *
 * | model | in a prompt | what happens |
 * |---|---|---|
 * | `mock-error-529` | `[mock:error-529]` | any status with an error of the dialect; 429 and 529 with `retry-after` |
 * | `mock-slow`, `mock-slow-20` | `[mock:slow-20]` | waits 50 (20) ms before each frame |
 * | `mock-long-200` | `[mock:long-200]` | answers in 200 text frames |
 * | `mock-cut` | `[mock:cut]` | the connection dies in the middle of a stream, in the middle of a frame |
 * | `mock-inband-error` | `[mock:inband-error]` | an error in the stream, after a 200 |
 * | `mock-echo` | `[mock:echo]` | answers with exactly the prompt |
 * | `mock-thinking` | `[mock:thinking]` | thinks aloud first, as it does where the request asks for it |
 *
 * They add up: `mock-slow-20+long-100`. Tokens are a quarter of the characters.
 */
export async function openMock({ port = 0 }: { port?: number } = {}): Promise<Mock> {
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    idleTimeout: 255,
    async fetch(request, server) {
      if (request.headers.get('upgrade') === 'websocket') {
        const known = new URL(request.url).pathname.endsWith('/v1/responses')
        return known && server.upgrade(request)
          ? undefined
          : new Response('no WebSocket here', { status: 404 })
      }
      return await answer(request)
    },
    error: (error) => Response.json({ error: { message: errorText(error) } }, { status: 500 }),
    websocket: { idleTimeout: 255, maxPayloadLength: 128 * 1024 * 1024, message: answerSocket },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    async close() {
      await server.stop(true)
    },
  }
}

async function answerSocket(socket: ServerWebSocket<undefined>, message: string | Buffer): Promise<void> {
  const { events, delayMs, cut } = socketEvents(readSent(Buffer.from(message)))
  for (const [index, event] of events.entries()) {
    if (delayMs > 0) await Bun.sleep(delayMs)
    if (cut && index >= events.length / 2) {
      socket.terminate()
      return
    }
    socket.send(JSON.stringify(event))
  }
}
