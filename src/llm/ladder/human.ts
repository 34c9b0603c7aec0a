import type { Sql } from 'postgres'
import { codecOf } from '../adapters/wire.ts'
import type { ChatDialect, ModelAnswer } from '../codecs/model.ts'
import { streamAnswer } from '../codecs/whole.ts'
import { findTask } from './queries.ts'

const lookMs = 500

/** Waits for a human's answer, looking twice a second. Null where there is none in time, or the client leaves. */
export async function waitForAnswer(
  sql: Sql,
  id: string,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
): Promise<string | null> {
  const until = performance.now() + seconds * 1_000
  for (;;) {
    const answer = (await findTask(sql, id, null))?.answer ?? null
    const left = until - performance.now()
    if (answer !== null || left <= 0 || signal.aborted) return answer
    await Bun.sleep(Math.min(lookMs, left))
  }
}

/** What a human said, in the shape that the client's SDK reads. */
export function humanAnswer(
  dialect: ChatDialect,
  { id, text, stream }: { id: string; text: string; stream: boolean },
): { bytes: Uint8Array<ArrayBuffer>; contentType: string } {
  const { codec, context } = codecOf(dialect)
  const usage = { input: 0, output: 0, cache_read: 0, cache_write: 0, cache_write_1h: 0, reasoning: 0 }
  const answer: ModelAnswer = {
    id,
    model: 'human',
    parts: [{ kind: 'text', text }],
    stop: 'end',
    sequence: null,
    usage,
  }
  const encoder = new TextEncoder()
  if (!stream) {
    const bytes = encoder.encode(JSON.stringify(codec.writeAnswer(answer, context)))
    return { bytes, contentType: 'application/json' }
  }
  const writer = codec.streamWriter(context)
  let out = ''
  streamAnswer(answer, (event) => {
    out += writer.write(event)
  })
  return { bytes: encoder.encode(out), contentType: 'text/event-stream; charset=utf-8' }
}
