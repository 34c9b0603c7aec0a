import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { openStore, startEmbedded } from '#store'
import { type AgentTurn, agentConversation } from './agent-conversation.ts'
import { allStored } from './record.ts'
import { startSluice } from './sluice.ts'

export type StorageFigures = {
  turns: number
  /** Request and response bytes that passed. */
  sentBytes: number
  /** What was new in each turn, all of it in one zstd stream: the least that can be hoped for. */
  distinctCompressed: number
  /** What the content table holds of them. */
  content: number
  /** All tables and indexes of the record, as Postgres counts them. */
  everything: number
}

/** Sends one agent's conversation through the gateway and asks Postgres what it takes. */
export async function measureStorage(turns: number): Promise<StorageFigures> {
  const conversation = agentConversation(turns)
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-storage-'))
  const database = await startEmbedded({ dir: join(dataDir, 'database') })
  const upstream = answering(conversation)
  const sluice = await startSluice(upstream.url, { DATABASE_URL: database.url, DATA_DIR: dataDir })
  const { sql, close } = openStore(database.url, { max: 1 })
  try {
    const empty = await relationBytes()
    for (const turn of conversation) {
      const answer = await fetch(`${sluice.url}/v1/messages`, {
        method: 'POST',
        headers: { 'x-api-key': 'bench', 'content-type': 'application/json' },
        body: turn.request,
      })
      await answer.arrayBuffer()
    }
    await allStored(sluice)
    const [row] = await sql`select sum(length(data))::bigint as bytes from contents`
    return {
      turns,
      sentBytes: conversation.reduce((sum, turn) => sum + turn.request.length + answerOf(turn).length, 0),
      distinctCompressed: distinctCompressed(conversation),
      content: Number(row?.bytes ?? 0),
      everything: (await relationBytes()) - empty,
    }
  } finally {
    await close()
    await sluice.stop()
    upstream.stop()
    await database.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }

  async function relationBytes(): Promise<number> {
    const [row] = await sql`
      select sum(pg_total_relation_size(c.oid))::bigint as bytes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r'`
    return Number(row?.bytes ?? 0)
  }
}

function distinctCompressed(conversation: AgentTurn[]): number {
  let before = ''
  const fresh: string[] = []
  for (const turn of conversation) {
    let common = 0
    while (common < before.length && before[common] === turn.request[common]) common++
    // After the new messages stands what was there before: system prompt and tools.
    const tail = before === '' ? 0 : turn.request.length - turn.request.indexOf('],"system":')
    fresh.push(turn.request.slice(common, turn.request.length - tail), answerOf(turn))
    before = turn.request
  }
  return zstdCompressSync(Buffer.from(fresh.join(''))).length
}

/** The answer as Anthropic streams it. */
function answerOf(turn: AgentTurn): string {
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
  const message = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'claude-bench', content: [] }
  return [
    event('message_start', { message: { ...message, usage: { input_tokens: 10, output_tokens: 1 } } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...turn.answer.map((text) =>
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    ),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: turn.answer.length },
    }),
    event('message_stop', {}),
  ].join('')
}

function answering(conversation: AgentTurn[]): { url: string; stop(): void } {
  let next = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      await request.arrayBuffer()
      const turn = conversation[next++]
      if (turn === undefined) return new Response('no more turns', { status: 404 })
      return new Response(answerOf(turn), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) }
}
